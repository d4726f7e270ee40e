//! The documents: links that lead somewhere, and no trace of the machine they were written on.

use std::path::{Path, PathBuf};

use super::repository::{files_below, files_with_extension, root, text};

/// Paths of somebody's own machine. Written in two parts, so that this file passes its own test.
const PRIVATE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

#[test]
fn relative_links_in_documents_lead_to_a_file() {
    for path in files_with_extension("", "md") {
        let text = text(&path).expect("documents are UTF-8");
        for target in links(&text) {
            let file = resolve(&path, target);
            assert!(root().join(&file).exists(), "{} links to {target}, which does not exist", path.display());
        }
    }
}

#[test]
fn nothing_mentions_a_path_of_a_private_machine() {
    for path in files_below("") {
        let Some(text) = text(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for private in PRIVATE_PATHS {
                assert!(!line.contains(private), "{}:{}: mentions {private}: {line}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_search_for_links_keeps_only_relative_ones() {
    let text = "[a](docs/a.md#part), [b](https://example.org), `x[0](y)`, [c](#here), ![d](d.svg)";
    assert_eq!(links(text), ["docs/a.md", "d.svg"]);
}

/// The relative targets of the inline links of a document, without their fragment.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2).flat_map(|block| block.split('`').step_by(2));
    let targets = prose.flat_map(|part| part.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    files.filter_map(|target| target.split('#').next()).filter(|file| !file.is_empty()).collect()
}

fn resolve(document: &Path, target: &str) -> PathBuf {
    document.parent().unwrap_or(Path::new("")).join(target)
}
