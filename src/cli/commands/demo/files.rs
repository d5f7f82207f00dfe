//! The example project, built into the program: what `examples/wordfreq` holds, file by file.

/// A file: its path below the example's directory, and its text.
pub type File = (&'static str, &'static str);

/// Takes each file in under the path that it has there.
macro_rules! embed {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wordfreq/", $path))),)*]
    };
}

/// All of it.
pub const FILES: &[File] = embed![
    "files/cli_test.sh",
    "files/count.sh",
    "files/count_test.sh",
    "files/filter.sh",
    "files/filter_test.sh",
    "files/rank.sh",
    "files/rank_first.sh",
    "files/rank_skeleton.sh",
    "files/rank_test.sh",
    "files/report.sh",
    "files/report_test.sh",
    "files/tokenize.sh",
    "files/tokenize_test.sh",
    "files/wordfreq.sh",
    "project/README.md",
    "project/data/sample.txt",
    "project/data/stopwords.txt",
    "project/tests/check.sh",
    "project/tests/data_test.sh",
    "project/tests/end_to_end.sh",
    "project/tests/lint.sh",
    "project/tests/run.sh",
    "scenario.json",
    "spec/CONTEXT.md",
    "spec/SPEC.md",
    "spec/manifest.json",
];
