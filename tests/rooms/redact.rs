//! What is hidden, and that nothing of it is left.

use std::collections::BTreeSet;

use cco::redact::secrets::says_secret;
use cco::redact::{Redacting, Redactor, Secrets};
use proptest::prelude::*;

fn redactor(secrets: &[(&str, &str)]) -> Redactor {
    let mut all = Secrets::new();
    secrets.iter().for_each(|(name, value)| all.add_variable(name, value));
    Redactor::new(all).unwrap()
}

fn of_file(text: &str) -> Redactor {
    let mut all = Secrets::new();
    all.add_env_file(".env", text);
    Redactor::new(all).unwrap()
}

/// Secrets that overlap, contain and repeat each other, for texts of the same few letters.
fn tangled() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("%[a1%]{7,12}", 1..6)
}

fn named(values: &[String]) -> Redactor {
    let names: Vec<String> = (0..values.len()).map(|n| format!("T{n}_TOKEN")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
    redactor(&pairs)
}

/// A text in which secrets stand among other things, some of them only in part.
fn text_of(secrets: &[String], parts: &[(usize, usize, String)]) -> String {
    let part = |(which, cut, between): &(usize, usize, String)| {
        let secret = &secrets[which % secrets.len()];
        format!("{between}{}", &secret[..secret.len() - cut % 4])
    };
    parts.iter().map(part).collect()
}

fn parts() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    prop::collection::vec((any::<usize>(), any::<usize>(), "[a1%é\n]{0,4}"), 0..12)
}

/// The text without what stands for secrets.
fn without_markers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, marker)) = rest.split_once("[redacted ") {
        out.push_str(before);
        rest = marker.split_once(']').unwrap().1;
    }
    out + rest
}

proptest! {
    #[test]
    fn every_byte_of_a_secret_goes_and_every_other_one_stays(secrets in tangled(), parts in parts()) {
        let text = text_of(&secrets, &parts);
        let mut covered = vec![false; text.len()];
        for secret in &secrets {
            for at in (0..text.len()).filter(|&at| text.as_bytes()[at..].starts_with(secret.as_bytes())) {
                covered[at..at + secret.len()].fill(true);
            }
        }
        let kept: Vec<u8> = text.bytes().zip(&covered).filter(|(_, covered)| !**covered).map(|(byte, _)| byte).collect();
        let redactor = named(&secrets);
        let clean = redactor.text(&text);
        prop_assert_eq!(without_markers(&clean).into_bytes(), kept);
        prop_assert!(secrets.iter().all(|secret| !clean.contains(secret.as_str())), "{}", clean);
        prop_assert_eq!(&redactor.bytes(text.as_bytes())[..], clean.as_bytes());
        prop_assert_eq!(redactor.text(&clean), &*clean);
    }

    #[test]
    fn pieces_come_out_as_the_whole_does(
        secrets in tangled(),
        parts in parts(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let text = text_of(&secrets, &parts).into_bytes();
        let redactor = named(&secrets);
        let cuts: BTreeSet<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([0, text.len()]).collect();
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let mut pieces = Redacting::new(&redactor);
        let mut out = Vec::new();
        for cut in cuts.windows(2) {
            out.extend(pieces.push(text[cut[0]..cut[1]].to_vec()));
        }
        out.extend(pieces.finish());
        prop_assert_eq!(out, redactor.bytes(&text).into_owned());
    }

    #[test]
    fn a_secret_in_json_goes_too(secret in "[a-z\"\\\\é]{4,8}[0-9\"\\\\]{6}!", before in ".{0,8}", after in ".{0,8}") {
        let redactor = redactor(&[("DB_PASSWORD", &secret)]);
        let line = serde_json::json!({"text": format!("{before}{secret}{after}")});
        let text = redactor.text(&line.to_string()).into_owned();
        prop_assert!(text.contains("[redacted DB_PASSWORD]"), "{}", text);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert!(!read["text"].as_str().unwrap().contains(&secret), "{}", text);
        let mut value = line;
        redactor.json(&mut value, &["kept"]);
        prop_assert!(!value.to_string().contains(&secret), "{}", value);
    }

    #[test]
    fn any_file_and_any_variable_can_be_read(name in ".{0,12}", text in "[A-C=\"'`\\\\#@:/%? \r\né0-9]{0,60}") {
        let mut all = Secrets::new();
        all.add_env_file(&name, &text);
        all.add_variable(&name, &text);
        let redactor = Redactor::new(all).unwrap();
        let clean = redactor.text(&text).into_owned();
        prop_assert_eq!(redactor.text(&clean), &*clean);
    }
}

#[test]
fn what_may_follow_is_shown_at_once() {
    let one = redactor(&[("A_TOKEN", "abcDEF123456")]);
    let mut pieces = Redacting::new(&one);
    let mut push = |text: &str| String::from_utf8(pieces.push(text.as_bytes().to_vec())).unwrap();
    assert_eq!(push("see: abc"), "see: ");
    assert_eq!(push("DEF and more"), "abcDEF and more");
    assert_eq!(push("abcDEF123456"), "[redacted A_TOKEN]");
    assert_eq!((push("abc"), pieces.finish()), (String::new(), b"abc".to_vec()));
    // A whole secret may be the beginning of another one.
    let two = redactor(&[("A_TOKEN", "abcDEF123456"), ("B_TOKEN", "abcDEF12345678")]);
    let mut pieces = Redacting::new(&two);
    assert_eq!(pieces.push(b"abcDEF123456".to_vec()), b"");
    assert_eq!(pieces.push(b"78.".to_vec()), b"[redacted B_TOKEN].");
}

#[test]
fn names_are_read_by_words() {
    let secret = [
        "GITHUB_TOKEN",
        "STRIPE_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "PGPASSWORD",
        "DB_PASSWD",
        "MYSQL_PWD",
        "DB_PASS",
        "NPM_AUTH",
        "_auth_token",
        "spring.datasource.password",
        "accountKey",
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "SSH_PRIVATE_KEY",
        "GOOGLE_CREDENTIALS",
        "APIKEY",
        "api-key",
        "GPG_PASSPHRASE",
        "SENTRY_DSN",
        "SECRETS",
    ];
    let plain = [
        "KEYBOARD",
        "TOKENIZERS_PARALLELISM",
        "MAX_TOKENS",
        "MONKEY",
        "AUTHOR",
        "GIT_AUTHOR_NAME",
        "PWD",
        "OLDPWD",
        "PATH",
        "SSH_AUTH_SOCK",
        "KEY_FILE",
        "AUTH_URL",
        "GIT_ASKPASS",
        "PUBLIC_KEY",
        "XAUTHORITY",
        "HOME",
        "",
        "_",
        "PASSAGE",
    ];
    assert_eq!(secret.into_iter().filter(|name| !says_secret(name)).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(plain.into_iter().filter(|name| says_secret(name)).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn ordinary_values_stay_readable_whatever_their_name_says() {
    let ordinary = [
        "true",
        "short1!",
        "postgres",
        "changeme",
        "Password",
        "DISABLED",
        "git-credential",
        "12345678",
        "2026-11-22",
        "127.0.0.1:5432",
        "/home/me/.netrc",
        "/run/user/1000/key",
        "/srv/some-dir/key.pem",
        "~/.ssh/id",
        "./certs/dev.pem",
    ];
    let secret = [
        "hunter2hunter2",
        "correcthorsebattery",
        "s3cr3t!pass",
        "summer-2024",
        "Tr0ub4dor&3",
        "1234567890123456",
        "/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "/x9$Kq!zz",
    ];
    for value in ordinary {
        assert_eq!(redactor(&[("A_SECRET", value)]).text(value), value);
    }
    for value in secret {
        assert_eq!(redactor(&[("A_SECRET", value)]).text(value), "[redacted A_SECRET]");
    }
    assert_eq!(redactor(&[("SOME_TEXT", "hunter2hunter2")]).text("hunter2hunter2"), "hunter2hunter2");
}

#[test]
fn credentials_in_addresses_go_whatever_the_name() {
    let hidden = |value: &str, text: &str| redactor(&[("DATABASE_URL", value)]).text(text).into_owned();
    let url = "postgres://app:s3cr3t%21pw@db.local:5432/app?sslmode=require";
    assert_eq!(hidden(url, url), "postgres://[redacted DATABASE_URL]@db.local:5432/app?sslmode=require");
    // However it is printed.
    assert_eq!(hidden(url, "with s3cr3t!pw or s3cr3t%21pw"), "with [redacted DATABASE_URL] or [redacted DATABASE_URL]");
    let plain = "postgres://postgres:postgres@localhost/postgres";
    assert_eq!(hidden(plain, plain), "postgres://[redacted DATABASE_URL]@localhost/postgres");
    assert_eq!(hidden(plain, "the postgres server"), "the postgres server");
    let token = "https://x9f8a7b6c5d4e3f2a1@git.example.org/a.git";
    assert_eq!(hidden(token, token), "https://[redacted DATABASE_URL]@git.example.org/a.git");
    let odd = "amqp://user:pa/ss#w0rd!@mq";
    assert_eq!(hidden(odd, odd), "amqp://[redacted DATABASE_URL]@mq");
    let pairs = "Endpoint=sb://x.example.org/;SharedAccessKeyName=root;SharedAccessKey=Zm9vYmFyYmF6cXV4MTIz=";
    assert_eq!(hidden(pairs, "k=Zm9vYmFyYmF6cXV4MTIz="), "k=[redacted DATABASE_URL]");
    for open in
        ["https://example.org/a@v1.2", "ssh://git@example.org/a", "http://proxy:3128", "https://example.org:443/x@y"]
    {
        assert_eq!(hidden(open, open), open);
    }
}

#[test]
fn every_line_of_a_key_goes() {
    let pem =
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n";
    let clean = "-----BEGIN PRIVATE KEY-----\n[redacted SSH_KEY]\n[redacted SSH_KEY]\n-----END PRIVATE KEY-----\n";
    for value in [pem.to_owned(), pem.trim().replace('\n', "\\n")] {
        let redactor = redactor(&[("SSH_KEY", &value)]);
        assert_eq!(redactor.text(pem), clean);
        assert!(!redactor.text(&value).contains("MIIE"));
    }
    assert!(!of_file(pem).text(pem).contains("MIIE"), "a key file of its own");
    assert!(!of_file(&format!("TLS=\"{pem}\"")).text(pem).contains("MIIE"), "a key in an env file");
}

#[test]
fn an_env_file_hides_what_does_not_look_ordinary() {
    let file = "# local\nSTRIPE_SK=sk_live_51HxYzAbCdEf\nexport MAIL_PW='p4ss word!'\nSALT=\"a1b2c3d4\\\"e5\"\nDB_PASSWORD=summer-2024\n\
                PORT=5432\nAPP=shop-invoices2\nREGION=eu-west-1\nDEBUG=true\nSITE=https://shop.example.org/v2\nBUCKET=/work/x9f8a7b6\n\
                TO=me@example.org\nBASE=\"https://u:s3cr3tpw@example.org\"\n";
    let redactor = of_file(file);
    let clean = redactor.text(file);
    for hidden in ["sk_live", "p4ss", "a1b2", "summer", "s3cr3tpw"] {
        assert!(!clean.contains(hidden), "{hidden}: {clean}");
    }
    for shown in [
        "5432",
        "shop-invoices2",
        "eu-west-1",
        "true",
        "https://shop.example.org/v2",
        "/work/x9f8a7b6",
        "me@example.org",
    ] {
        assert!(clean.contains(shown), "{shown}: {clean}");
    }
    assert_eq!(redactor.text("salt: a1b2c3d4\"e5"), "salt: [redacted SALT]");
}

#[test]
fn nothing_known_changes_nothing_and_a_trace_shows_no_secret() {
    let none = redactor(&[]);
    assert!(none.is_empty());
    assert_eq!(none.text("a [text]"), "a [text]");
    assert!(!format!("{:?}", redactor(&[("A_KEY", "abcDEF123456")])).contains("abcDEF"));
    // A name that is another one's value is not shown in its place.
    let named = redactor(&[("DB_PASSWORD_Z9", "xyz12345!"), ("OTHER_TOKEN", "PASSWORD_Z9")]);
    assert_eq!(named.text("xyz12345! PASSWORD_Z9"), "[redacted] [redacted OTHER_TOKEN]");
}
