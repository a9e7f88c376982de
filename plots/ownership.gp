# plots/ownership.gp: a box per ownership; what no box covers was owned by nobody.
set ylabel row_label
set yrange [rows - 0.5:-0.5]
set cbrange [-0.5:color_count - 0.5]
set cblabel color_label offset 1.5,0
half = rows > 60 ? 0.52 : 0.42
plot $rows using (duration / time_unit / 2):1:(0):(duration / time_unit):($1 - half):($1 + half) with boxxyerror linecolor rgb '#f2b0a7' title 'owned by nobody', \
     $owned using ($1 / time_unit):3:($1 / time_unit):($2 / time_unit):($3 - half):($3 + half):4 with boxxyerror palette notitle, \
     $rebalances using ($1 / time_unit):(0):($1 / time_unit):($2 / time_unit):(-0.5):(rows - 0.5) with boxxyerror linecolor rgb '#c4202020' title sprintf('rebalance (%d)', rebalances), \
     $labels using ($1 / time_unit):2:3 with labels font ',9' textcolor rgb '#111111' notitle
