//! The few parts of SVG that the plots and flame graphs are made of.

use std::fmt::{self, Display};

/// A drawing that grows by elements. Lengths are pixels.
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text is held.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    /// At its start.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

impl Svg {
    /// An empty drawing on white.
    pub(crate) const fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// A filled rectangle; what it stands for shows when the pointer is on it.
    pub(crate) fn rect(&mut self, [x, y, width, height]: [f64; 4], colour: &str, meaning: &str) {
        let title = if meaning.is_empty() { String::new() } else { format!("<title>{}</title>", Escaped(meaning)) };
        self.push(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}">{title}</rect>"#
        ));
    }

    /// A line of text whose baseline is at `y`.
    pub(crate) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, size: f64, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = Escaped(text);
        self.push(&format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}">{text}</text>"#));
    }

    /// A line through points.
    pub(crate) fn line(&mut self, points: &[[f64; 2]], colour: &str, width: f64) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.push(&format!(r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#));
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

impl Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, body } = self;
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif">"#
        )?;
        writeln!(f, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##)?;
        writeln!(f, "{body}</svg>")
    }
}

/// Text between tags.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            other => write!(f, "{other}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_angle_brackets_do_not_become_tags() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text([0.0, 5.0], Anchor::Start, 10.0, "<A as B>::f & g");
        svg.rect([0.0; 4], "#123456", "Vec<u8>");
        let svg = svg.to_string();
        assert!(svg.contains(">&lt;A as B&gt;::f &amp; g</text>"));
        assert!(svg.contains("<title>Vec&lt;u8&gt;</title>"));
    }
}
