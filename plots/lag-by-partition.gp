# plots/lag-by-partition.gp: rows are partitions, columns are samples, the colour is the lag.
set ylabel row_label
set yrange [rows - 0.5:-0.5]
set logscale cb
set cblabel 'lag (records)' offset 1.5,0
set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')
# Rebalances as a strip above the map: on it they would hide what they cause.
plot $lag matrix using (($1 + 0.5) * column_seconds / time_unit):2:($3 + 1) with image notitle, \
     $rebalances using ($1 / time_unit):(-0.5):($2 / time_unit - $1 / time_unit):(0) with vectors nohead linewidth 5 linecolor rgb '#d55e00' title sprintf('rebalance (%d)', rebalances)
