//! Distributes cbindgen's output over the headers of `layout.rs`, and rewrites its comments for
//! readers of C.

use std::collections::BTreeMap;

use crate::layout::{HEADERS, Header};

/// The longest line of a comment or of a table of contents.
const WIDTH: usize = 100;

/// The tags for threads. The comment of each function and of each function pointer begins with one.
/// In Rust they are in backticks, because rustdoc takes brackets for links.
pub const TAGS: [&str; 3] = ["[any thread]", "[any thread, one at a time]", "[serialised]"];

/// The meaning of the tags, for the head of each header.
const TAGS_IN_SHORT: &str = "The comment of each function begins with a tag for its threads. \
    [any thread]: on any thread, also on many at once. [any thread, one at a time]: on any thread, \
    but not on two at once for one object. [serialised]: for one policy, never on two threads at \
    once: within the host's work serializer.";

/// The generated headers: file name and text.
pub fn headers() -> Vec<(String, String)> {
    let mut items = items(&bindings());
    let headers =
        HEADERS.iter().map(|header| (format!("{}.h", header.name), write(header, &mut items)));
    let headers = headers.collect();
    let left: Vec<_> = items.keys().collect();
    assert!(left.is_empty(), "add these to a section of tests/header/layout.rs: {left:?}");
    headers
}

/// Everything that cbindgen finds, as one header.
fn bindings() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_crate(root)
        .generate()
        .expect("cbindgen reads src/ffi");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).unwrap()
}

/// The declarations of a header by name, each with the comment above it.
///
/// cbindgen puts a blank line between declarations, and none inside of one except in comments.
fn items(header: &str) -> BTreeMap<String, String> {
    let mut items = BTreeMap::new();
    let mut item = String::new();
    let mut comment = false;
    for line in header.lines().chain([""]) {
        comment |= line.trim_start().starts_with("/*");
        if line.is_empty() && !comment {
            if let Some(name) = declared(&item) {
                items.insert(name, readable(&item));
            }
            item.clear();
        } else {
            item += line;
            item += "\n";
        }
        comment &= !line.trim_end().ends_with("*/");
    }
    items
}

/// The name that a declaration declares. None for what cbindgen puts around the declarations.
fn declared(item: &str) -> Option<String> {
    let code = item.rsplit("*/\n").next()?;
    // A type's members have comments, too.
    let code = if item.contains("\n}") { item.split_once("*/\n")?.1 } else { code };
    let line = code.lines().next()?;
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    for keyword in ["#define ", "enum ", "typedef struct "] {
        if let Some(rest) = line.strip_prefix(keyword) {
            return Some(word(rest)).filter(|name| name.starts_with(['s', 'S']));
        }
    }
    let before = line.split_once('(')?.0;
    let name = before.rsplit([' ', '*']).next()?;
    name.starts_with("steer_").then(|| name.to_owned())
}

/// A declaration with its comments in C's usual form.
fn readable(item: &str) -> String {
    let mut text = String::new();
    let mut lines = item.lines();
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "/*" {
            let inner: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "*/").collect();
            let strip = |line: &&str| line.strip_prefix(indent).unwrap_or(line).trim().to_owned();
            text += &comment(indent, &for_c(inner.iter().map(strip).collect()));
        } else {
            text += line;
            text += "\n";
        }
    }
    text
}

/// Turns Rust's heading "# Safety" into a sentence, and shows the tag for threads as plain text.
fn for_c(mut lines: Vec<String>) -> Vec<String> {
    let quoted = lines[0].strip_prefix('`').and_then(|line| line.strip_suffix('`'));
    if let Some(tag) = quoted.filter(|tag| TAGS.contains(tag)) {
        lines[0] = tag.to_owned();
    }
    if let Some(at) = lines.iter().position(|line| line == "# Safety") {
        let rest = lines.split_off(at);
        let end = rest.iter().position(String::is_empty).unwrap_or(rest.len());
        lines
            .extend(wrap(&format!("The caller guarantees: {}", rest[1..end].join(" ")), WIDTH - 3));
        lines.extend_from_slice(&rest[end..]);
    }
    assert!(lines.iter().all(|line| !line.starts_with('#')), "a heading is in {lines:?}");
    lines
}

/// Breaks a paragraph into lines of at most `width` columns.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A comment of these lines.
fn comment(indent: &str, lines: &[String]) -> String {
    let fits = |line: &String| indent.len() + line.chars().count() + 6 <= WIDTH;
    match lines {
        [line] if fits(line) => return format!("{indent}/* {line} */\n"),
        _ => {}
    }
    let mut text = format!("{indent}/*\n");
    for line in lines {
        text += format!("{indent} * {line}").trim_end();
        text += "\n";
    }
    text + indent + " */\n"
}

/// The text of a header. Takes its declarations out of `items`.
fn write(header: &Header, items: &mut BTreeMap<String, String>) -> String {
    let guard = format!("STEER_{}_H", header.name.to_uppercase());
    let mut text = comment("", &head(header));
    text += &format!("#ifndef {guard}\n#define {guard}\n\n");
    for include in header.includes {
        text += &format!("#include {include}\n");
    }
    if !header.sections.is_empty() {
        text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
        for section in header.sections {
            text += &format!(
                "\n/* --- {} {} */\n",
                section.title,
                "-".repeat(88 - section.title.len())
            );
            for name in section.names {
                let item = items.remove(*name);
                let item = item.unwrap_or_else(|| panic!("nothing is named {name}"));
                text += "\n";
                text += &item;
            }
        }
        text += "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n";
    }
    text + &format!("\n#endif /* {guard} */\n")
}

/// The comment at the head of a header: what it is for, and its contents.
fn head(header: &Header) -> Vec<String> {
    let mut lines = wrap(header.about, WIDTH - 3);
    lines.extend(wrap(
        " Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules \
         that hold for every function and struct: threads, ownership, NULLs, growth.",
        WIDTH - 3,
    ));
    lines.push(String::new());
    lines.extend(wrap(TAGS_IN_SHORT, WIDTH - 3));
    lines.extend([String::new(), "Contents".to_owned()]);
    let mut entry = |title: &str, text: &str| {
        let indent = 4;
        lines.push(format!("  {title}"));
        for line in wrap(text, WIDTH - 3 - indent) {
            lines.push(format!("{:indent$}{line}", ""));
        }
    };
    for section in header.sections {
        entry(section.title, &section.names.join(", "));
    }
    if header.sections.is_empty() {
        let includes =
            |part: &&Header| header.includes.contains(&&*format!("\"steer/{}.h\"", part.name));
        for part in HEADERS.iter().filter(includes) {
            let titles: Vec<_> = part.sections.iter().map(|section| section.title).collect();
            entry(&format!("{}.h", part.name), &titles.join("; "));
        }
    }
    lines
}
