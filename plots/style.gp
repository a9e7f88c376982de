# plots/style.gp: what all pictures share. Part of every .gp file that `cohort plot` writes.
set encoding utf8
set border 3 linewidth 0.8 linecolor rgb '#555555'
set tics nomirror out textcolor rgb '#333333'
set xtics scale 0.6
set ytics scale 0.6
set lmargin 12
set rmargin 14
set tmargin 5.5
set bmargin 4
set label 9001 picture_title at graph 0, screen 1 offset 0,-1.4 left font ',14' textcolor rgb '#111111'
set label 9002 picture_subtitle at graph 0, screen 1 offset 0,-2.8 left font ',9' textcolor rgb '#666666'
set xlabel time_label offset 0,0.3
set xrange [0:duration / time_unit]
set key at graph 1, graph 1.012 right bottom horizontal samplen 1.5 font ',9' textcolor rgb '#333333'
set style fill solid 1.0 noborder
