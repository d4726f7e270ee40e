//! How the time of a rekey grows, as SVG.

use std::fmt::Write as _;

use crate::rekey::Point;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;

/// Each point and, as a broken line, what it would be if every volume took what those of the first point took. `None` without
/// points.
pub(crate) fn svg(points: &[Point]) -> Option<String> {
    let (first, last) = (points.first()?, points.last()?);
    let longest = points.iter().flat_map(|point| &point.times).copied().fold(0.0, f64::max);
    let x = |volumes: usize| MARGIN + (WIDTH - 2.0 * MARGIN) * count(volumes) / count(last.volumes);
    let y = |seconds: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * seconds / longest;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<path d=\"M{MARGIN} {MARGIN}V{}H{}\" \
         fill=\"none\" stroke=\"black\"/>\n",
        HEIGHT - MARGIN,
        WIDTH - MARGIN
    );
    let straight = first.median() * count(last.volumes) / count(first.volumes);
    let (end, top) = if straight > longest { (longest / straight, longest) } else { (1.0, straight) };
    let (from, to) = ((x(0), y(0.0)), (MARGIN + (WIDTH - 2.0 * MARGIN) * end, y(top)));
    let _ = writeln!(
        svg,
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>",
        from.0, from.1, to.0, to.1
    );
    for point in points {
        let (at, middle) = (x(point.volumes), point.median());
        for time in &point.times {
            let _ = writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#1f5fa8\"/>", y(*time));
        }
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{middle:.1} s </text>",
            HEIGHT - MARGIN + 18.0,
            point.volumes,
            y(middle) - 8.0
        );
    }
    let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"30\">seconds of a rekey, by volumes</text></svg>");
    Some(svg)
}

#[expect(clippy::cast_precision_loss, reason = "drawn with few digits")]
fn count(volumes: usize) -> f64 {
    volumes as f64
}
