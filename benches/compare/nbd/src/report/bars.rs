//! A section as bars: a row of two panels per load, the rate on the left and the server's cost on the right.

use super::svg::{Anchor, Svg};
use crate::contestant::Class;
use crate::judge::{CaseOutcome, Outcome, Standing};
use crate::section::Metric;

const NAMES: f64 = 190.0;
const PANEL: f64 = 300.0;
/// Room for the value behind the longest bar.
const VALUE: f64 = 70.0;
const BAR: f64 = 18.0;
const HEAD: f64 = 44.0;
const MARGIN: f64 = 12.0;

/// The drawing as text.
pub(super) fn plot(outcome: &Outcome) -> String {
    let height = |case: &CaseOutcome| HEAD + BAR * as_f64(case.standings.len()) + MARGIN;
    let width = NAMES + 2.0 * (PANEL + VALUE) + MARGIN;
    let mut svg = Svg::new(width, outcome.cases.iter().map(height).sum::<f64>() + MARGIN);
    let mut top = 0.0;
    for case in &outcome.cases {
        row(&mut svg, case, top);
        top += height(case);
    }
    svg.to_string()
}

fn row(svg: &mut Svg, case: &CaseOutcome, top: f64) {
    svg.text([MARGIN, top + 20.0], Anchor::Start, 14.0, &case.name);
    for (place, standing) in case.standings.iter().enumerate() {
        svg.text([NAMES - 6.0, top + HEAD + BAR * as_f64(place) + 13.0], Anchor::End, 12.0, standing.name);
    }
    panel(svg, case, case.rate, [NAMES, top], |standing| standing.rate);
    panel(svg, case, case.cost, [NAMES + PANEL + VALUE, top], |standing| standing.cost);
}

fn panel(svg: &mut Svg, case: &CaseOutcome, metric: Metric, [left, top]: [f64; 2], value: impl Fn(&Standing) -> f64) {
    svg.text([left, top + 38.0], Anchor::Start, 11.0, metric.title());
    let longest = case.standings.iter().map(&value).fold(f64::MIN_POSITIVE, f64::max);
    for (place, standing) in case.standings.iter().enumerate() {
        let value = value(standing);
        if value.is_nan() {
            continue;
        }
        let (length, y) = (value / longest * PANEL, top + HEAD + BAR * as_f64(place));
        svg.rect([left, y + 2.0, length, BAR - 4.0], colour(standing.class), "");
        svg.text([left + length + 4.0, y + 13.0], Anchor::Start, 11.0, &metric.show(value));
    }
}

/// Sear dark, peers by what they do, yardsticks pale.
const fn colour(class: Class) -> &'static str {
    match class {
        Class::Ours => "#0b5394",
        Class::Plain => "#7aa36f",
        Class::Encrypted => "#c9793f",
        Class::Yardstick => "#c4c4c4",
    }
}

/// Counts of rows are far below 2^52.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}
