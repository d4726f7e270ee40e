//! A flame graph: a box per function, as wide as the share of the samples in which it was on the stack, over the box of
//! its caller (B. Gregg, "The Flame Graph", CACM 59(6), 2016).

use std::collections::BTreeMap;

use super::fold::Stacks;
use crate::report::svg::{Anchor, Svg};

const WIDTH: f64 = 1400.0;
const ROW: f64 = 17.0;
const MARGIN: f64 = 10.0;
const HEAD: f64 = 34.0;
/// Boxes narrower than this are left out, with all above them.
const NARROWEST: f64 = 0.5;
/// Width of a character, about.
const CHARACTER: f64 = 6.3;

/// A function as it was reached in one way.
#[derive(Default)]
struct Node {
    count: u64,
    above: BTreeMap<String, Node>,
}

impl Node {
    fn of(stacks: &Stacks) -> Self {
        let mut root = Self::default();
        for (stack, count) in stacks {
            let mut node = &mut root;
            node.count += count;
            for name in stack {
                node = node.above.entry(name.clone()).or_default();
                node.count += count;
            }
        }
        root
    }

    fn height(&self) -> u32 {
        self.above.values().map(|node| 1 + node.height()).max().unwrap_or(0)
    }
}

/// The drawing as text.
pub(super) fn draw(stacks: &Stacks, title: &str) -> String {
    let root = Node::of(stacks);
    let height = HEAD + ROW * f64::from(root.height()) + MARGIN;
    let mut svg = Svg::new(WIDTH, height);
    svg.text([MARGIN, 22.0], Anchor::Start, 14.0, &format!("{title}: {} samples", root.count));
    let scale = (WIDTH - 2.0 * MARGIN) / as_f64(root.count);
    let canvas = Canvas { scale, total: root.count };
    canvas.above(&mut svg, &root, [MARGIN, height - MARGIN]);
    svg.to_string()
}

struct Canvas {
    /// Pixels per sample.
    scale: f64,
    total: u64,
}

impl Canvas {
    /// Draws what is above `node`, whose box begins at `x` and has its upper edge at `bottom`.
    fn above(&self, svg: &mut Svg, node: &Node, [mut x, bottom]: [f64; 2]) {
        for (name, node) in &node.above {
            let width = as_f64(node.count) * self.scale;
            if width >= NARROWEST {
                self.frame(svg, name, node.count, [x, bottom - ROW, width, ROW - 1.0]);
                self.above(svg, node, [x, bottom - ROW]);
            }
            x += width;
        }
    }

    fn frame(&self, svg: &mut Svg, name: &str, count: u64, place: [f64; 4]) {
        let share = as_f64(count) / as_f64(self.total) * 100.0;
        svg.rect(place, colour(name), &format!("{name}: {share:.2} %, {count} samples"));
        let [x, y, width, _] = place;
        let mut room = width - 6.0;
        let fits = name.chars().take_while(|_| {
            room -= CHARACTER;
            room >= 0.0
        });
        let shown: String = fits.collect();
        if shown.len() > 2 {
            svg.text([x + 3.0, y + 12.0], Anchor::Start, 11.0, &shown);
        }
    }
}

/// Rust's names are warm, all others (the kernel's and C's) cool; neighbours differ a little.
fn colour(name: &str) -> &'static str {
    let shade = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 3;
    if name.contains("::") {
        ["#f2b279", "#efa35f", "#f6c08f"][shade]
    } else {
        ["#a9c6e0", "#9abcd9", "#b8d0e6"][shade]
    }
}

/// Counts of samples are far below 2^32.
fn as_f64(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_as_wide_as_its_share_and_stands_on_its_caller() {
        let stack = |names: &[&str]| names.iter().copied().map(String::from).collect::<Vec<_>>();
        let stacks = Stacks::from([(stack(&["main", "a"]), 3), (stack(&["main", "b"]), 1)]);
        let drawing = draw(&stacks, "a test");
        let boxes: Vec<&str> = drawing.lines().filter(|line| line.contains("<title>")).collect();
        let full = WIDTH - 2.0 * MARGIN;
        let expected = [("main: 100.00 %", 10.0, 61.0 - ROW + 7.0, full), ("a: 75.00 %", 10.0, 34.0, full * 0.75)];
        for ((title, x, y, width), line) in expected.into_iter().zip(&boxes) {
            let place = format!(r#"x="{x:.1}" y="{y:.1}" width="{width:.1}""#);
            assert!(line.contains(title) && line.contains(&place), "{title} is not at {place}: {line}");
        }
        assert_eq!(boxes.len(), 3);
    }
}
