# plots/group-lag.gp: lag in records above, in seconds below, rebalances shaded in both.
set multiplot
set lmargin at screen 0.085
set rmargin at screen 0.97
set grid ytics linecolor rgb '#dddddd' linewidth 0.6
top_of(value) = value > 0 ? value * 1.08 : 1

set tmargin at screen 0.84
set bmargin at screen 0.52
set yrange [0:top_of(records_max)]
set ylabel 'lag (records)' offset 0.5,0
set format y '%.0s%c'
set format x ''
unset xlabel
plot $rebalances using ($1 / time_unit):(0):($1 / time_unit):($2 / time_unit):(0):(top_of(records_max)) with boxxyerror linecolor rgb '#dcdcdc' title sprintf('rebalance (%d)', rebalances), \
     $lag using ($1 / time_unit):2 with lines linewidth 1.8 linecolor rgb '#0072b2' title 'all partitions together'

unset label 9001
unset label 9002
set tmargin at screen 0.44
set bmargin at screen 0.12
set yrange [0:top_of(age_max)]
set ylabel 'lag (s)' offset 0.5,0
set format y '%g'
set format x '%g'
set xlabel time_label offset 0,0.3
plot $rebalances using ($1 / time_unit):(0):($1 / time_unit):($2 / time_unit):(0):(top_of(age_max)) with boxxyerror linecolor rgb '#dcdcdc' notitle, \
     $lag using ($1 / time_unit):3 with lines linewidth 1.8 linecolor rgb '#d55e00' title 'partition furthest behind: age of its next record'
unset multiplot
