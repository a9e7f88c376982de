# plots/compare-differences.gp: each arm's difference from the first, with its 95 % interval.
set lmargin at screen 0.34
set rmargin at screen 0.97
set ylabel ''
set xlabel 'difference from '.base.', in % of its mean (point) and 95 % interval (bar); left of the line is less'
unset xrange
set autoscale x
set offsets graph 0.05, graph 0.05, 0, 0
set yrange [rows - 0.5:-0.5]
set grid ytics linecolor rgb '#eeeeee' linewidth 0.6
set arrow 1 from first 0, graph 0 to first 0, graph 1 nohead dashtype 2 linecolor rgb '#555555'
set linetype 1 linecolor rgb '#0072b2'
set linetype 2 linecolor rgb '#d55e00'
set linetype 3 linecolor rgb '#009e73'
set linetype 4 linecolor rgb '#cc79a7'
set linetype 5 linecolor rgb '#e69f00'
set linetype 6 linecolor rgb '#56b4e9'
set linetype cycle 6
unset key
plot $differences using 2:1:3:4:5 with xerrorbars pointtype 7 pointsize 1.1 linewidth 2 linecolor variable
