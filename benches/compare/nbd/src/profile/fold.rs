//! Samples by stack: how often each one was seen.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The names of a stack from its root to the function on top, and how often it was seen.
pub(super) type Stacks = BTreeMap<Vec<String>, u64>;

/// Reads what `perf script --fields=comm,ip,sym` prints: for each sample the thread's name, then an indented line per
/// frame, the top first, then an empty line.
pub(super) fn stacks(script: &str) -> Stacks {
    let mut stacks = Stacks::new();
    for sample in script.split("\n\n") {
        let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
        let Some(thread) = lines.next() else { continue };
        let mut stack: Vec<String> = lines.filter_map(frame).collect();
        stack.push(thread.trim().to_owned());
        stack.reverse();
        *stacks.entry(stack).or_default() += 1;
    }
    stacks
}

/// The function in `  7f0c1a2b3c4d name`, without the hash that Rust's older names end with.
fn frame(line: &str) -> Option<String> {
    let (_, name) = line.trim().split_once(' ')?;
    let name = name.trim();
    let hash = |end: &str| end.len() == 17 && end.starts_with('h') && end[1..].bytes().all(|b| b.is_ascii_hexdigit());
    Some(match name.rsplit_once("::") {
        Some((function, end)) if hash(end) => function.to_owned(),
        _ => name.to_owned(),
    })
}

/// A line per stack: names joined by semicolons, and the count; what flame graph programs read.
pub(super) fn text(stacks: &Stacks) -> String {
    let line = |(stack, count): (&Vec<String>, &u64)| {
        let names: Vec<String> = stack.iter().map(|name| name.replace(';', ":")).collect();
        format!("{} {count}\n", names.join(";"))
    };
    stacks.iter().map(line).collect()
}

/// The functions most often on top, and their share in percent.
pub(super) fn tops(stacks: &Stacks, most: usize) -> String {
    let mut tops: BTreeMap<&str, u64> = BTreeMap::new();
    for (stack, count) in stacks {
        *tops.entry(stack.last().map_or("", String::as_str)).or_default() += count;
    }
    let total: u64 = tops.values().sum();
    let mut tops: Vec<(&str, u64)> = tops.into_iter().collect();
    tops.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut text = String::new();
    for (name, count) in tops.into_iter().take(most) {
        let per_mille = count * 1000 / total;
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:3}.{} %  {name}", per_mille / 10, per_mille % 10);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
sear-worker
        ffffffff81000010 copy_user
            55d0c0ffee10 datapath::serve::h0123456789abcdef
            7f0000000001 start_thread

sear-worker
        ffffffff81000020 copy_user
            55d0c0ffee20 datapath::serve::h0123456789abcdef
            7f0000000001 start_thread

sear
            55d0c0ffee30 <A as B>::run
";

    #[test]
    fn equal_stacks_are_counted_together_from_the_root_up() {
        let folded = text(&stacks(SCRIPT));
        assert_eq!(folded, "sear;<A as B>::run 1\nsear-worker;start_thread;datapath::serve;copy_user 2\n");
    }

    #[test]
    fn the_top_list_is_in_order_and_in_percent() {
        assert_eq!(tops(&stacks(SCRIPT), 1), " 66.6 %  copy_user\n");
    }
}
