//! The headers of `layout.rs` in `include/steer` are generated from `src/ffi` and
//! `crates/steer-abi/src`, and every function that they declare is in the list of exported symbols.
//!
//! cbindgen runs once and `write.rs` distributes what it found, by the table in `layout.rs`.
//!
//! `STEER_BLESS=1 cargo test --test header` writes the headers and the list.

mod layout;
mod write;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

/// The generated headers: file name and text.
static HEADERS: LazyLock<Vec<(String, String)>> = LazyLock::new(write::headers);

/// All of them, one after another.
fn generated() -> String {
    HEADERS.iter().map(|(_, text)| text.as_str()).collect()
}

/// The functions that a header declares, sorted.
fn functions(header: &str) -> String {
    let mut names: Vec<&str> = header
        .match_indices("steer_")
        .filter_map(|(at, _)| {
            let name =
                header[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
            let starts_a_word = !header[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            (starts_a_word && header[at + name.len()..].starts_with('(')).then_some(name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join("\n") + "\n"
}

fn check(path: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("STEER_BLESS").is_some() {
        fs::write(&path, current).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == current,
        "{} is stale: STEER_BLESS=1 cargo test --test header",
        path.display()
    );
}

#[test]
fn the_headers_are_current() {
    for (name, text) in &*HEADERS {
        check(&format!("include/steer/{name}"), text);
    }
}

#[test]
fn the_list_of_symbols_is_current() {
    check("include/steer/symbols.txt", &functions(&generated()));
}

/// The word at the start of a line's rest.
fn word(rest: &str) -> &str {
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The name that a line at the top of a header declares.
fn declared(line: &str) -> Option<&str> {
    for keyword in ["#define ", "enum ", "struct ", "union "] {
        if let Some(rest) = line.strip_prefix(keyword) {
            return Some(word(rest));
        }
    }
    if line.starts_with("typedef ") || line.starts_with("} ") {
        return line.strip_suffix(';')?.rsplit([' ', '*']).next();
    }
    // An enumerator.
    line.contains(" = ").then(|| word(line.trim_start()))
}

/// The names that a header declares: macros, types and enumerators.
fn names(header: &str) -> Vec<&str> {
    header
        .lines()
        .filter_map(|line| Some(declared(line)?).filter(|name| !name.is_empty()))
        .collect()
}

#[test]
fn every_name_in_the_header_begins_with_steer() {
    let header = generated();
    let names = names(&header);
    assert!(names.len() > 100, "some names are missing: {names:?}");
    for name in names {
        assert!(name.starts_with("steer_") || name.starts_with("STEER_"), "{name:?}");
    }
}

/// Whether a function, or a pointer to one, is declared in this line.
fn declares_a_function(line: &str) -> bool {
    let line = line.trim_start();
    let declares = line.split_once('(').is_some_and(|(before, rest)| {
        let name = before.rsplit([' ', '*']).next().unwrap_or_default();
        before.contains(' ') && (rest.starts_with('*') || name.starts_with("steer_"))
    });
    declares && !line.starts_with(['*', '/', '#'])
}

#[test]
fn each_function_says_its_threads() {
    let mut functions = 0;
    for (name, header) in &*HEADERS {
        let lines: Vec<&str> = header.lines().collect();
        for at in (0..lines.len()).filter(|at| declares_a_function(lines[*at])) {
            functions += 1;
            let comment = lines[..at].iter().rposition(|line| line.trim_start().starts_with("/*"));
            let tag = lines[comment.unwrap() + 1].trim_start().strip_prefix("* ");
            assert!(
                tag.is_some_and(|tag| write::TAGS.contains(&tag)),
                "{name}: the comment of {:?} does not begin with one of {:?}",
                lines[at],
                write::TAGS
            );
        }
    }
    assert!(functions > 120, "only {functions} functions were found");
}

/// The files in a folder and its subfolders.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn every_macro_of_an_installed_header_begins_with_steer() {
    for path in files("include/steer") {
        let source = fs::read_to_string(&path).unwrap();
        for line in source.lines().filter_map(|line| line.trim_start().strip_prefix("#define ")) {
            assert!(word(line).starts_with("STEER_"), "{}: {line:?}", path.display());
        }
    }
}

/// cbindgen accepts a function pointer with Rust's calling convention, which C cannot call.
/// The test of hostile names includes the standard library first, because its headers may use all
/// names. Which other headers they include differs between compilers.
#[test]
fn the_test_of_names_includes_what_the_headers_include() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let test = fs::read_to_string(root.join("tests/abi/hostile_names.h")).unwrap();
    for path in files("include/steer") {
        let header = fs::read_to_string(&path).unwrap();
        let standard = |line: &&str| {
            let name = line.strip_prefix("#include <").and_then(|rest| rest.strip_suffix('>'));
            name.is_some_and(|name| !name.contains(['/', '.']))
        };
        for line in header.lines().filter(standard) {
            assert!(test.lines().any(|it| it == line), "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_function_pointer_has_the_c_abi() {
    for path in files("src/ffi").into_iter().chain(files("crates/steer-abi/src")) {
        if path.to_str().unwrap().contains("/tests/") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let plain =
            source.matches("Option<fn(").count() + source.matches("Option<unsafe fn(").count();
        assert_eq!(plain, 0, "{} has a function pointer without extern \"C\"", path.display());
    }
}

/// So a library never uses the inline functions of another release of `steer.hpp`.
#[test]
fn the_namespace_of_steer_hpp_names_the_release() {
    let release = env!("CARGO_PKG_VERSION").replace('.', "_");
    for path in files("include/steer/cpp") {
        let header = fs::read_to_string(&path).unwrap();
        let has = header.contains(&format!("inline namespace release_{release} {{"));
        assert!(has, "{} does not name the release", path.display());
    }
}
