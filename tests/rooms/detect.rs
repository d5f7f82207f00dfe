//! What a work directory tells of itself.

use cco::detect::{Command, Detected, Directory, is_looked_into, is_read, is_tasks_file};
use proptest::prelude::*;

/// A directory of these files; an empty text stands for a file whose content does not matter.
fn directory(files: &[(&str, &str)]) -> Directory {
    let mut directory = Directory { name: "my shop".to_owned(), ..Directory::default() };
    for (path, text) in files {
        directory.files.insert((*path).to_owned());
        if is_read(path) {
            directory.texts.insert((*path).to_owned(), Ok((*text).to_owned()));
        }
    }
    directory
}

/// The lint, the tests and the setup that are proposed, as lines, and the remarks.
fn proposed(files: &[(&str, &str)]) -> String {
    let detected = Detected::of(&directory(files));
    let proposal = detected.proposal();
    let line = |command: Option<&Command>| command.map_or("-".to_owned(), Command::line);
    let mut lines =
        vec![format!("lint: {}", line(proposal.lint.as_ref())), format!("test: {}", line(proposal.test.as_ref()))];
    lines.extend(proposal.setup.iter().map(|setup| format!("setup: {}", setup.line())));
    lines.extend(proposal.programs.iter().map(|program| format!("allow: {program}")));
    lines.extend(detected.remarks.iter().map(|remark| format!("remark: {remark}")));
    lines.join("\n")
}

#[test]
fn cargo_alone_and_as_a_workspace() {
    insta::assert_snapshot!(proposed(&[("Cargo.toml", "[package]\nname = \"shop\"")]), @r"
    lint: cargo clippy --all-targets -- -D warnings
    test: cargo test
    ");
    insta::assert_snapshot!(proposed(&[("Cargo.toml", "[workspace]\nmembers = [\"core\"]"), ("core/Cargo.toml", "")]), @r"
    lint: cargo clippy --workspace --all-targets -- -D warnings
    test: cargo test --workspace
    ");
}

#[test]
fn only_scripts_that_exist_are_taken() {
    let scripts = |scripts: &str| proposed(&[("package.json", &format!("{{\"scripts\": {scripts}}}"))]);
    insta::assert_snapshot!(scripts("{}"), @r"
    lint: -
    test: -
    ");
    insta::assert_snapshot!(scripts(r#"{"test": "node --test", "lint": "eslint .", "typecheck": "tsc"}"#), @r"
    lint: npm run lint && npm run typecheck
    test: npm test
    ");
    insta::assert_snapshot!(scripts(r#"{"test": "echo \"Error: no test specified\" && exit 1", "lint": "eslint --watch"}"#), @r"
    lint: -
    test: -
    remark: the script `lint` of `package.json` watches and does not end: not taken
    remark: the script `test` of `package.json` tests nothing: not taken
    ");
    // What is no text is no script.
    insta::assert_snapshot!(scripts(r#"{"test": ["a"], "lint": 3}"#), @r"
    lint: -
    test: -
    ");
}

#[test]
fn packages_are_installed_by_what_locked_them() {
    let package = r#"{"scripts": {"test": "x"}, "devDependencies": {"x": "1"}}"#;
    let with = |files: &[&str]| {
        let files: Vec<(&str, &str)> =
            files.iter().map(|file| (*file, "")).chain([("package.json", package)]).collect();
        let text = proposed(&files);
        text.lines().skip(1).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(with(&["package-lock.json"]), "test: npm test; setup: npm ci");
    assert_eq!(with(&[]), "test: npm test; setup: npm install --no-package-lock");
    assert_eq!(with(&["pnpm-lock.yaml"]), "test: pnpm test; setup: pnpm install --frozen-lockfile");
    assert_eq!(with(&["yarn.lock"]), "test: yarn test; setup: yarn install --frozen-lockfile");
    assert_eq!(with(&["yarn.lock", ".yarnrc.yml"]), "test: yarn test; setup: yarn install --immutable");
    assert_eq!(with(&["bun.lock"]), "test: bun run test; setup: bun install --frozen-lockfile");
}

#[test]
fn pytest_where_anything_speaks_of_it() {
    insta::assert_snapshot!(proposed(&[("setup.py", "")]), @r"
    lint: -
    test: -
    ");
    let told: [&[(&str, &str)]; 6] = [
        &[("pyproject.toml", "[tool.pytest.ini_options]\n")],
        &[("pyproject.toml", "[dependency-groups]\ndev = [\"pytest>=8\"]\n")],
        &[("requirements.txt", "flask\npytest\n")],
        &[("setup.py", ""), ("conftest.py", "")],
        &[("setup.py", ""), ("tests/test_api.py", "")],
        &[("setup.py", ""), ("api_test.py", "")],
    ];
    for files in told {
        assert_eq!(proposed(files), "lint: -\ntest: pytest", "{files:?}");
    }
    insta::assert_snapshot!(proposed(&[("pyproject.toml", "[tool.ruff]\n[tool.mypy]\n[tool.pytest]\n"), ("uv.lock", "")]), @r"
    lint: uv run ruff check . && uv run mypy .
    test: uv run pytest
    ");
    insta::assert_snapshot!(proposed(&[("pyproject.toml", "[tool.pytest]\n"), ("poetry.lock", ""), (".flake8", "")]), @r"
    lint: poetry run flake8
    test: poetry run pytest
    setup: poetry install
    ");
}

#[test]
fn go_and_maven() {
    insta::assert_snapshot!(proposed(&[("go.mod", "module example.org/shop/v2")]), @r"
    lint: go vet ./...
    test: go test ./...
    ");
    insta::assert_snapshot!(proposed(&[("pom.xml", "")]), @r"
    lint: -
    test: mvn --batch-mode test
    ");
    insta::assert_snapshot!(proposed(&[("pom.xml", ""), ("mvnw", "")]), @r"
    lint: -
    test: ./mvnw --batch-mode test
    ");
}

#[test]
fn targets_that_exist_and_nothing_that_looks_like_one() {
    let make = |text: &str| proposed(&[("Makefile", text)]);
    assert_eq!(
        make(".PHONY: test lint\ntest := 1\nlint ::= 2\nA = test:\n\ttest: x\n%: y\n# lint:\n"),
        "lint: -\ntest: -"
    );
    assert_eq!(make("all test: build\n\tgo\nlint:\n\tx\n"), "lint: make lint\ntest: make test");
    assert_eq!(make("check:: a\n"), "lint: -\ntest: make check");
    // GNU make takes its own name first.
    assert_eq!(proposed(&[("Makefile", "test:\n"), ("GNUmakefile", "lint:\n")]), "lint: make lint\ntest: -");
}

#[test]
fn recipes_that_need_no_argument() {
    let just = |text: &str| proposed(&[("justfile", text)]);
    assert_eq!(just("alias t := test\ntest := 'x'\n  lint:\n[private]\n# test:\n"), "lint: -\ntest: -");
    assert_eq!(just("@test *args: build\n  cargo test\nlint level='all':\n  x\n"), "lint: just lint\ntest: just test");
    insta::assert_snapshot!(just("test name:\n  x\nlint +files:\n  x\n"), @r"
    lint: -
    test: -
    remark: the recipe `test` of `justfile` needs an argument: not taken
    remark: the recipe `lint` of `justfile` needs an argument: not taken
    ");
}

#[test]
fn what_the_author_named_for_the_whole_stands_for_the_languages() {
    insta::assert_snapshot!(proposed(&[("Cargo.toml", "[package]"), ("Makefile", "test:\n"), ("justfile", "lint:\n")]), @r"
    lint: just lint
    test: make test
    ");
}

#[test]
fn several_languages_are_all_checked() {
    let package = r#"{"scripts": {"test": "node --test"}, "dependencies": {"x": "1"}}"#;
    insta::assert_snapshot!(
        proposed(&[("Cargo.toml", "[package]"), ("go.mod", "module x"), ("web/package.json", package), ("web/package-lock.json", "")]),
        @r"
    lint: cargo clippy --all-targets -- -D warnings && go vet ./...
    test: cargo test && go test ./... && (cd web && npm test)
    setup: (cd web && npm ci)
    allow: go
    allow: npm
    "
    );
    // The root speaks for what is below it; a directory alone is named by its place.
    insta::assert_snapshot!(proposed(&[("Cargo.toml", "[package]"), ("fuzz/Cargo.toml", "[package]")]), @r"
    lint: cargo clippy --all-targets -- -D warnings
    test: cargo test
    ");
    insta::assert_snapshot!(proposed(&[("api/go.mod", "module x")]), @r"
    lint: (cd api && go vet ./...)
    test: (cd api && go test ./...)
    ");
    let many = ["a", "b", "c", "d"].map(|dir| format!("{dir}/go.mod"));
    let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "module x")).collect();
    insta::assert_snapshot!(proposed(&many), @r"
    lint: -
    test: -
    remark: 4 directories hold Go: none was taken, name their checks yourself
    ");
}

#[test]
fn what_is_broken_is_said_and_harms_nothing_else() {
    let mut directory = directory(&[
        ("package.json", "{\"scripts\": {\"test\": \u{1b}[2J"),
        ("Cargo.toml", "[package\nname = \u{1b}[31m"),
        ("go.mod", ""),
        ("pyproject.toml", ""),
    ]);
    directory.texts.insert("pyproject.toml".to_owned(), Err("it is larger than 1 MiB".to_owned()));
    let detected = Detected::of(&directory);
    assert_eq!(detected.found.len(), 4);
    let remarks = detected.remarks.join("\n");
    assert!(!remarks.contains('\u{1b}'), "{remarks}");
    insta::assert_snapshot!(remarks, @r"
    `Cargo.toml` is not TOML: unclosed table, expected `]`
    `package.json` is not a JSON object, so its scripts are not known: expected value at line 1 column 22
    `pyproject.toml` could not be read: it is larger than 1 MiB
    ");
    assert_eq!(detected.proposal().test.unwrap().run, "cargo test && go test ./...");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let json = format!("{{\"scripts\": {}", "[".repeat(500_000));
    let toml = format!("a = {}", "[".repeat(500_000));
    let detected =
        Detected::of(&directory(&[("package.json", &json), ("Cargo.toml", &toml), ("pyproject.toml", &toml)]));
    assert_eq!(detected.remarks.len(), 3, "{:?}", detected.remarks);
    assert!(detected.remarks.iter().all(|remark| remark.len() < 300));
}

#[test]
fn the_project_is_called_what_it_says_or_as_its_directory() {
    let project = |files: &[(&str, &str)]| Detected::of(&directory(files)).project;
    assert_eq!(project(&[]).as_deref(), Some("my-shop"));
    assert_eq!(project(&[("Cargo.toml", "[package]\nname = \"till\"")]).as_deref(), Some("till"));
    assert_eq!(project(&[("package.json", "{\"name\": \"@acme/till\"}")]).as_deref(), Some("till"));
    assert_eq!(project(&[("pyproject.toml", "[project]\nname = \"till\"")]).as_deref(), Some("till"));
    assert_eq!(project(&[("go.mod", "module example.org/till/v2")]).as_deref(), Some("till"));
    assert_eq!(project(&[("Cargo.toml", "[package]\nname = \"../../etc\"")]).as_deref(), Some("etc"));
    assert_eq!(Detected::of(&Directory::default()).project, None);
}

#[test]
fn task_lists_of_other_tools_are_found() {
    let files =
        ["todo.md", "specs/001-a/tasks.md", "specs/002-b/tasks.md", ".taskmaster/tasks/tasks.json", "a b/tasks.md"];
    assert!(files[..4].iter().all(|path| is_tasks_file(path)) && !is_tasks_file("docs/plan.md"));
    let detected = Detected::of(&directory(&files.map(|file| (file, ""))));
    let found: Vec<String> =
        detected.tasks.iter().map(|tasks| format!("{} {}", tasks.kind.name(), tasks.path)).collect();
    assert_eq!(
        found,
        [
            "speckit specs/002-b/tasks.md",
            "speckit specs/001-a/tasks.md",
            "taskmaster .taskmaster/tasks/tasks.json",
            "markdown todo.md"
        ]
    );
}

#[test]
fn directories_that_are_not_the_projects_own_are_passed_over() {
    let looked: Vec<&str> = ["web", ".git", "node_modules", "target", "a b", "$(reboot)", "-x", "x;y", "api-2"]
        .into_iter()
        .filter(|dir| is_looked_into(dir))
        .collect();
    assert_eq!(looked, ["web", "api-2"]);
}

proptest! {
    /// Whatever files hold, a proposal comes out, and it names nothing that a terminal or a shell could misread.
    #[test]
    fn any_text_gives_a_plain_proposal(
        texts in prop::collection::vec((prop::sample::select(vec![
            "Cargo.toml", "package.json", "pyproject.toml", "go.mod", "Makefile", "justfile", "setup.cfg",
            "web/package.json", "$(x)/package.json", "a;b/go.mod", "api/Cargo.toml",
        ]), any::<String>()), 0..8),
    ) {
        let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let detected = Detected::of(&directory(&files));
        let proposal = detected.proposal();
        let commands = proposal.lint.iter().chain(&proposal.test).chain(&proposal.setup);
        for command in commands {
            prop_assert!(command.line().chars().all(|c| c.is_ascii_alphanumeric() || " ./-_&()".contains(c)), "{command:?}");
        }
        for remark in &detected.remarks {
            prop_assert!(!remark.contains(char::is_control), "{remark:?}");
        }
    }
}
