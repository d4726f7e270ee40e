//! The scaling section as lines: operations per second against connections, one panel per kind of load.

use super::svg::{Anchor, Svg};
use crate::fio::Pattern;
use crate::judge::{CaseOutcome, Outcome};

const PANEL: [f64; 2] = [360.0, 240.0];
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
/// Room for the names behind the lines.
const NAMES: f64 = 110.0;
const BELOW: f64 = 50.0;
const COLOURS: [&str; 4] = ["#0b5394", "#7aa36f", "#c9793f", "#8e7cc3"];

/// The drawing as text.
pub(super) fn plot(outcome: &Outcome) -> String {
    let panels = [(Pattern::RandRead, "random read"), (Pattern::RandWrite, "random write")];
    let width = LEFT + PANEL[0] + NAMES;
    let mut svg = Svg::new(width * 2.0, TOP + PANEL[1] + BELOW);
    for ((pattern, title), left) in panels.into_iter().zip([0.0, width]) {
        let cases: Vec<&CaseOutcome> = outcome.cases.iter().filter(|case| case.load.pattern == pattern).collect();
        panel(&mut svg, &cases, title, left + LEFT);
    }
    svg.to_string()
}

fn panel(svg: &mut Svg, cases: &[&CaseOutcome], title: &str, left: f64) {
    let [width, height] = PANEL;
    let bottom = TOP + height;
    let all = cases.iter().flat_map(|case| &case.standings);
    let highest = all.map(|standing| standing.rate).fold(f64::MIN_POSITIVE, f64::max) * 1.05;
    let most = cases.iter().map(|case| f64::from(case.load.connections)).fold(1.0, f64::max);
    let x = |connections: u32| left + f64::from(connections) / most * width;
    let y = |rate: f64| bottom - rate / highest * height;
    svg.text([left, 22.0], Anchor::Start, 14.0, &format!("4 KiB {title}, IOPS"));
    svg.line(&[[left, TOP], [left, bottom], [left + width, bottom]], "#444444", 1.0);
    let step = step(highest);
    for value in (1..).map(|count| step * f64::from(count)).take_while(|value| *value <= highest) {
        svg.line(&[[left, y(value)], [left + width, y(value)]], "#e4e4e4", 1.0);
        svg.text([left - 6.0, y(value) + 4.0], Anchor::End, 11.0, &format!("{:.0} k", value / 1e3));
    }
    for case in cases {
        let place = [x(case.load.connections), bottom + 16.0];
        svg.text(place, Anchor::Middle, 11.0, &case.load.connections.to_string());
    }
    svg.text([left + width / 2.0, bottom + 36.0], Anchor::Middle, 11.0, "connections, 32 in flight on each");
    let Some(first) = cases.first() else { return };
    for (place, standing) in first.standings.iter().enumerate() {
        let point = |case: &&CaseOutcome| [x(case.load.connections), y(case.standings[place].rate)];
        let points: Vec<[f64; 2]> = cases.iter().map(point).collect();
        let colour = COLOURS[place % COLOURS.len()];
        svg.line(&points, colour, 2.0);
        points.iter().for_each(|[x, y]| svg.rect([x - 3.0, y - 3.0, 6.0, 6.0], colour, ""));
        if let Some([x, y]) = points.last() {
            svg.text([x + 8.0, y + 4.0], Anchor::Start, 11.0, standing.name);
        }
    }
}

/// A round number of which three to seven fit into `highest`, a positive number.
fn step(highest: f64) -> f64 {
    let ten = 10_f64.powf((highest / 3.0).log10().floor());
    [5.0, 2.0].into_iter().map(|factor| ten * factor).find(|step| *step <= highest / 3.0).unwrap_or(ten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_the_axis_are_round_and_a_few() {
        assert_eq!([91e3, 61e3, 59e3, 30e3, 29e3].map(step), [20e3, 20e3, 10e3, 10e3, 5e3]);
    }
}
