# plots/compare-lag.gp: the lag curves of all arms, each the mean over its seeds.
set lmargin at screen 0.085
set rmargin at screen 0.97
set ylabel 'lag (records)' offset 0.5,0
set format y '%.0s%c'
set yrange [0:*]
set grid ytics linecolor rgb '#dddddd' linewidth 0.6
set linetype 1 linecolor rgb '#111111'
set linetype 2 linecolor rgb '#0072b2'
set linetype 3 linecolor rgb '#d55e00'
set linetype 4 linecolor rgb '#009e73'
set linetype 5 linecolor rgb '#cc79a7'
set linetype 6 linecolor rgb '#e69f00'
set linetype 7 linecolor rgb '#56b4e9'
set linetype cycle 7
plot for [arm = 0:arms - 1] $lag index arm using ($1 / time_unit):2 with lines linewidth 1.8 linetype arm + 1 title arm_names[arm + 1]
