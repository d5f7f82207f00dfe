#[path = "../src/json.rs"]
mod json;

fn array(names: &[&str]) -> String {
    let counts: Vec<(String, usize)> = names.iter().map(|name| (name.to_string(), 1)).collect();
    json::array(&counts)
}

#[test]
fn an_object_for_each_file() {
    assert_eq!(array(&[]), "[]");
    assert_eq!(array(&["a", "b"]), r#"[{"file":"a","lines":1},{"file":"b","lines":1}]"#);
}

#[test]
fn odd_names_are_escaped() {
    assert_eq!(array(&["a\"b\\c\n"]), r#"[{"file":"a\"b\\c\u000a","lines":1}]"#);
}
