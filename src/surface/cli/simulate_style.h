#pragma once
/// How the page of simulated disasters looks: light and dark, narrow and wide, printed. Marks and
/// words say what colours say. The colours stay apart for the colour-blind (blue, orange, violet).

#include <string_view>

namespace lifeboat::cli {

inline constexpr std::string_view simulate_style = R"(
:root{color-scheme:light dark;--ink:#1a1f24;--soft:#57616b;--line:#d5dade;--ground:#fff;
--card:#f5f7f8;--inside:#0b6fad;--outside:#d97a1f;--never:#7b3f9d;--limit:#1a1f24;
--alert:#a34a00}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e7eaed;--soft:#a3adb6;--line:#3b434a;
--ground:#14181b;--card:#1d2327;--inside:#5ab1ee;--outside:#f0a04b;--never:#c58be3;--limit:#e7eaed;
--alert:#f0a04b}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;color:var(--ink);background:var(--ground);
max-width:66rem;margin:0 auto;padding:1.6rem 1.2rem 3rem}
h1{font-size:1.55rem;line-height:1.25;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.4rem 0 .3rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.4rem 0 .3rem;overflow-wrap:anywhere}
p{margin:.3rem 0}.soft,figcaption,caption{color:var(--soft)}
.soft,figcaption{font-size:.9rem}ul{margin:.3rem 0;padding-left:1.2rem}
code{font:.86em ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.plans{list-style:none;padding:0}.plans li{overflow-wrap:anywhere}
.tag{display:inline-block;min-width:1.5em;padding:0 .3em;text-align:center;font-weight:700;
border:1px solid currentColor;border-radius:.25em;font-size:.85em}
.verdict{background:var(--card);border-left:.3rem solid var(--inside);padding:.6rem .9rem;
margin:.9rem 0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.5rem 0;font-size:.9rem;
font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.2rem 0;font-size:.9rem}
th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:middle}
thead th{color:var(--soft);font-weight:600;border-bottom:1px solid var(--line);
vertical-align:bottom;white-space:nowrap}
tbody{border-bottom:1px solid var(--line)}
td.number{white-space:nowrap}td.name{overflow-wrap:anywhere}
.rows tbody tr+tr td,.rows tbody tr+tr th{border-top:1px dotted var(--line)}
tbody th{font-weight:600}tbody th small{display:block;color:var(--soft);font-weight:400}
.matrix td,.matrix th{white-space:nowrap;vertical-align:top;padding-right:.7rem}
.matrix .none::before{content:"·"}
.bar{width:100%;min-width:6rem;height:.75rem;display:block}
.frame{fill:var(--card);stroke:var(--soft);stroke-width:1;vector-effect:non-scaling-stroke}
figure{margin:.9rem 0 2rem}figcaption{margin-top:.7rem}
.chart{width:100%;max-width:720px;height:auto;display:block}
.chart text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}
.inside{fill:var(--inside)}
.outside{fill:var(--outside);fill-opacity:.3;stroke:var(--outside);stroke-width:1}
.never{fill:var(--never);fill-opacity:.35;stroke:var(--never);stroke-width:1.5;
stroke-dasharray:4 2}
.chart .never-text{fill:var(--never);font-weight:600}
.limit{stroke:var(--limit);stroke-width:1.5;stroke-dasharray:5 3}
.chart .limit-text{fill:var(--limit);font-weight:600}
.axis{stroke:var(--soft)}.grid{stroke:var(--line)}
.key{display:inline-block;width:1.6em;height:.8em;vertical-align:-.05em;margin-right:.3em}
.keys span{white-space:nowrap;margin-right:1.2em}
.whole{white-space:nowrap}.bad{color:var(--alert);font-weight:600}
@media(max-width:44rem){body{padding:1rem .8rem 2rem}.chart text{font-size:19px}
.chart .minor{display:none}
.rows thead{display:none}.rows,.rows tbody,.rows tr,.rows th,.rows td{display:block;border:0}
.rows tbody{padding:.4rem 0;border-bottom:1px solid var(--line)}
.rows tbody tr+tr td,.rows tbody tr+tr th{border:0}
.rows tr+tr{margin-top:.4rem;padding-top:.4rem;border-top:1px dotted var(--line)}
.rows td,.rows th{padding:.08rem 0}.rows td.number{white-space:normal}
.rows td[data-label]{display:grid;grid-template-columns:8.2rem 1fr;gap:.6rem}
.rows td[data-label]::before{content:attr(data-label);color:var(--soft)}
.rows td:empty{display:none}.matrix th{white-space:normal}}
@media print{body{max-width:none;padding:0;font-size:10pt;-webkit-print-color-adjust:exact;
print-color-adjust:exact}figure,tr,.verdict{break-inside:avoid}h2,h3{break-after:avoid}
.wide{overflow:visible}table{font-size:7.5pt}code{font-size:7pt}.bar{min-width:3rem}
th,td,.matrix th,.matrix td{padding-right:.35rem}
td.number,thead th,.matrix td,.matrix th{white-space:normal}}
)";

}  // namespace lifeboat::cli
