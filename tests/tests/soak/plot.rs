//! Latency over time with the rekeys marked, as SVG.

use std::fmt::Write as _;

use super::Rekey;
use super::latency::Latencies;
use super::load::millis;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 320.0;
/// The latencies at the bottom and at the top, in milliseconds; the scale is logarithmic.
const LOW: f64 = 0.05;
const HIGH: f64 = 1000.0;
/// How many times are drawn.
const COLUMNS: u64 = 250;

pub(crate) fn svg(latencies: &Latencies, rekeys: &[Rekey]) -> String {
    let end = latencies.all().iter().map(|sample| sample.at).max().unwrap_or_default().max(1);
    let x = |ms: u64| 60.0 + (WIDTH - 80.0) * ms as f64 / end as f64;
    let y = |ms: f64| 20.0 + (HEIGHT - 60.0) * (1.0 - (ms.clamp(LOW, HIGH) / LOW).log10() / (HIGH / LOW).log10());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for rekey in rekeys {
        let (from, to) = (x(millis(rekey.at)), x(millis(rekey.at + rekey.took)));
        let _ = writeln!(
            svg,
            "<rect x=\"{from:.1}\" y=\"20\" width=\"{:.2}\" height=\"{}\" fill=\"#f4c27a\"><title>to {}</title></rect>",
            (to - from).max(0.6),
            HEIGHT - 60.0,
            rekey.to.name()
        );
    }
    for ms in [0.1, 1.0, 10.0, 100.0, 1000.0] {
        let at = y(ms);
        let _ = writeln!(
            svg,
            "<path d=\"M60 {at:.1}H{}\" stroke=\"#ddd\"/><text x=\"8\" y=\"{at:.1}\">{ms} ms</text>",
            WIDTH - 20.0
        );
    }
    for (share, colour) in [(500, "#1f5fa8"), (990, "#b03030")] {
        let mut line = String::new();
        for column in 0..COLUMNS {
            let (from, to) = (end * column / COLUMNS, end * (column + 1) / COLUMNS);
            let value = latencies.quantile(&[(from, to)], share).as_secs_f64() * 1e3;
            if value > 0.0 {
                let _ = write!(line, "{}{:.1} {:.1}", if line.is_empty() { 'M' } else { 'L' }, x(from), y(value));
            }
        }
        let _ = writeln!(svg, "<path d=\"{line}\" fill=\"none\" stroke=\"{colour}\"/>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"60\" y=\"{}\">{:.0} s; blue: median, red: 99th percentile of a request; shaded: a rekey</text></svg>",
        HEIGHT - 12.0,
        end as f64 / 1e3
    );
    svg
}
