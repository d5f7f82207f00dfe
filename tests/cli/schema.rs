//! `cco schema`

use crate::env::TestEnv;

#[test]
fn describes_every_field() {
    let schema = TestEnv::new().cco(["schema"]).exits(0).json();
    let properties = schema["properties"].as_object().unwrap();
    for field in ["name", "project", "work_dir", "execution", "components", "quality", "agent"] {
        assert!(properties.contains_key(field), "{field}");
    }
    for (name, property) in properties {
        assert!(property.get("description").is_some() || name == "$comment", "`{name}` is not described");
    }
}
