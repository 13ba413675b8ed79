//! Checks the rules of `mod.rs` on guards and of `custom/mod.rs` on imports.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|of| of == "rs") && !path.ends_with("rules.rs") {
            found.push(path);
        }
    }
}

/// The functions of a file that C may call: each with its comments above and its body.
fn entries(source: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("extern \"C\" fn ") else { continue };
        let words = ["", "pub ", "unsafe ", "pub unsafe ", "pub(super) unsafe "];
        // Not a type of a hook, and not in a comment.
        if !words.contains(&before) {
            continue;
        }
        let name = after.split('(').next().unwrap().to_owned();
        let above = lines[..at].iter().rposition(|line| line.is_empty()).map_or(0, |blank| blank);
        let end = lines[at..].iter().position(|line| *line == "}").unwrap() + at;
        found.push((name, lines[above..=end].join("\n")));
    }
    found
}

#[test]
fn each_entry_is_guarded_or_says_why_not() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi"), &mut files);
    let mut seen = 0;
    for file in files {
        for (name, text) in entries(&fs::read_to_string(&file).unwrap()) {
            seen += 1;
            let guarded = ["guard(", " run(", "answer(text"].iter().any(|call| text.contains(call));
            let unguarded = text.contains("// Unguarded: ");
            assert!(
                guarded != unguarded,
                "{name} in {}: put its body into `guard`, or say above it \"// Unguarded: …\", and \
                 why that is safe. See src/ffi/mod.rs.",
                file.display()
            );
        }
    }
    assert!(seen > 60, "{seen} functions were found");
}

/// The files of `custom/` in the order of the table in its `mod.rs`.
fn layers(table: &str) -> Vec<&str> {
    let rows = table.lines().filter(|line| line.starts_with("//! | `"));
    rows.flat_map(|row| row.split(" | ").nth(1).unwrap().split('`'))
        .filter_map(|word| word.strip_suffix(".rs"))
        .collect()
}

#[test]
fn each_file_for_custom_policies_imports_only_files_above_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi/custom");
    let table = fs::read_to_string(folder.join("mod.rs")).unwrap();
    let layers = layers(&table);
    let layer = |name: &str| layers.iter().position(|other| *other == name);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "mod" {
            continue;
        }
        files += 1;
        let own = layer(name).unwrap_or_else(|| panic!("{name}.rs is not in the table of mod.rs"));
        let source = fs::read_to_string(&path).unwrap();
        for import in source.split("super::").skip(1) {
            let names =
                import.strip_prefix('{').map_or(import, |list| list.split('}').next().unwrap());
            let count = if import.starts_with('{') { usize::MAX } else { 1 };
            let names = names.split(|c: char| !c.is_ascii_lowercase() && c != '_');
            for import in names.filter(|name| !name.is_empty()).take(count) {
                let above = layer(import).is_none_or(|import| import < own);
                assert!(above, "{name}.rs imports {import}.rs, which is not above it");
            }
        }
    }
    assert_eq!(files, layers.len(), "the table of mod.rs has a file that does not exist");
}
