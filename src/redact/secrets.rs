//! What is a secret: by the name of its variable, by the look of its value, by its place in an address.
//!
//! Where it cannot be told, it is one: a word too many hidden in a log costs less than a key in it. But a log in which
//! `true`, `postgres` or a path is hidden cannot be read any more, so ordinary values never are.

use std::collections::BTreeMap;

use super::dotenv;

/// Shorter values are no secrets, in bytes: they would be found in every other word.
const SHORTEST: usize = 8;
/// Words and numbers of this length or more are no ordinary ones, in bytes.
const ORDINARY: usize = 16;

/// The texts to be hidden, each with the name that is shown in its place.
#[derive(Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what is secret of a variable: its value if its name says so, and credentials within it whatever its name.
    pub fn add_variable(&mut self, name: &str, value: &str) {
        if says_secret(name) {
            self.add_lines(name, value, is_secret);
        }
        self.add_credentials(name, value);
    }

    /// Adds what is secret in an env file: every value that does not look ordinary, and all of a private key. `file` is
    /// its name.
    pub fn add_env_file(&mut self, file: &str, text: &str) {
        for (name, value) in dotenv::assignments(text) {
            if !says_secret(name) {
                self.add_lines(name, &value, looks_random);
            }
            self.add_variable(name, &value);
        }
        if text.contains("PRIVATE KEY-----") {
            self.add_lines(file, text, is_secret);
        }
    }

    /// The texts with their names.
    pub(super) fn into_texts(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// Adds the lines of a value, and those that it would have if its `\n` were line ends.
    fn add_lines(&mut self, name: &str, value: &str, hide: fn(&str) -> bool) {
        for line in value.lines() {
            let parts = line.split("\\n").filter(|part| part.len() < line.len());
            for text in std::iter::once(line).chain(parts).map(str::trim) {
                // The frame of a key is known to all.
                if hide(text) && !text.starts_with("-----") {
                    self.add(name, text);
                }
            }
        }
    }

    /// Adds the credentials of addresses (`https://user:password@host`) and of `password=…` in connection strings.
    fn add_credentials(&mut self, name: &str, value: &str) {
        for (at, mark) in value.match_indices("://") {
            self.add_userinfo(name, &value[at + mark.len()..]);
        }
        for part in value.split(['?', '&', ';', ',', ' ', '\t', '\n']) {
            if let Some((key, value)) = part.split_once('=')
                && says_secret(key)
            {
                self.add_password(name, value);
            }
        }
    }

    /// `address` begins behind the scheme.
    fn add_userinfo(&mut self, name: &str, address: &str) {
        let address = address.split([' ', '\t', '\n', ',', '"', '\'']).next().unwrap_or_default();
        let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
        // A password with a slash in it is against the rules, and still one.
        let odd = || authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err());
        let userinfo = match authority.rsplit_once('@') {
            Some((userinfo, _)) => userinfo,
            None if odd() => address.rsplit_once('@').map_or("", |(userinfo, _)| userinfo),
            None => "",
        };
        match userinfo.split_once(':') {
            Some((_, password)) => {
                self.add_password(name, password);
                // A password that is an ordinary word is one only beside its user.
                if userinfo.len() >= SHORTEST && !password.is_empty() {
                    self.add(name, userinfo);
                }
            }
            // A token in place of a user.
            None if userinfo.len() >= ORDINARY && looks_random(userinfo) => self.add(name, userinfo),
            None => {}
        }
    }

    /// Adds a password that may be percent-encoded, in both forms.
    fn add_password(&mut self, name: &str, password: &str) {
        for text in [password, &percent_decoded(password)] {
            if is_secret(text) {
                self.add(name, text);
            }
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        self.0.entry(text.to_owned()).or_insert_with(|| name.to_owned());
    }
}

/// Whether a variable of this name holds a secret. Words count whole: `KEYBOARD` and `TOKENIZERS` are none.
pub fn says_secret(name: &str) -> bool {
    /// At the end of a word, since many are written together (`PGPASSWORD`).
    const ENDS: [&str; 8] =
        ["APIKEY", "CREDENTIAL", "CREDENTIALS", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN"];
    const WORDS: [&str; 12] =
        ["AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "DSN", "JWT", "KEY", "PASS", "PAT", "PW", "PWD", "SECRETS"];
    /// Where or what it is, not what it is made of.
    const ABOUT: [&str; 12] =
        ["DIR", "ENDPOINT", "FILE", "HOME", "HOST", "PATH", "PORT", "SOCK", "SOCKET", "TYPE", "URI", "URL"];
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) || name == "PWD" {
        return false;
    }
    let public = |at: usize| at > 0 && words[at - 1] == "PUBLIC" && words[at] == "KEY";
    words
        .iter()
        .enumerate()
        .any(|(at, word)| (WORDS.contains(&word.as_str()) || ENDS.iter().any(|end| word.ends_with(end))) && !public(at))
}

/// `AWS_SECRET_ACCESS_KEY` and `secretAccessKey` in words, in capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (lower && c.is_uppercase()) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the value of a variable that says so is a secret: not where it is short, or an ordinary word, number or path.
fn is_secret(value: &str) -> bool {
    value.len() >= SHORTEST && !is_ordinary(value) && !is_path(value)
}

/// One word in one case, several with something between them, or a number, date or address of a machine.
fn is_ordinary(value: &str) -> bool {
    let between = |c: char| matches!(c, '_' | '-' | '.' | ':' | '/' | ',' | '+' | ' ');
    let word = |word: &str| {
        word.chars().skip(1).all(char::is_lowercase) && word.chars().all(char::is_alphabetic)
            || word.chars().all(char::is_uppercase)
    };
    let number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    value.len() < ORDINARY && (value.split(between).all(word) || value.split(between).all(number))
}

/// Base64 may begin with a slash and hold more of them: such a text is a path only where a known directory begins it.
fn is_path(value: &str) -> bool {
    const ROOTS: [&str; 18] = [
        "Library", "Users", "Volumes", "app", "data", "dev", "etc", "home", "mnt", "nix", "opt", "private", "root",
        "run", "srv", "tmp", "usr", "var",
    ];
    let usual = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ' ');
    let base64 = |c: char| c.is_ascii_alphanumeric() || c == '/';
    let path = if value.starts_with(['.', '~']) { value.trim_start_matches(['.', '~']) } else { value };
    let Some(below) = path.strip_prefix('/').filter(|below| below.chars().all(usual)) else { return false };
    path.len() < value.len()
        || ROOTS.contains(&below.split('/').next().unwrap_or_default())
        || !below.chars().all(base64)
}

/// Whether a value of which nothing says that it is a secret looks like one: it is no path, and holds something that is
/// no word, no number, and no word with a few digits beside it (`v2`, `utf8`, `30s`).
fn looks_random(value: &str) -> bool {
    let path = ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start));
    value.len() >= SHORTEST && !path && !value.split(|c: char| !c.is_alphanumeric()).all(is_wordlike)
}

fn is_wordlike(part: &str) -> bool {
    const LONGEST: usize = 20;
    const DIGITS: usize = 4;
    let word = part.trim_matches(|c: char| c.is_ascii_digit());
    let letters = word.chars().count();
    if letters == 0 {
        return true;
    }
    let capitals = word.chars().filter(|c| c.is_uppercase()).count();
    let one_case = capitals == 0 || capitals == letters || capitals == 1 && word.starts_with(char::is_uppercase);
    let fits = match part.len() - word.len() {
        // `shopInvoices` is a word, `HxYzAbC` is none.
        0 => one_case || capitals <= letters / 3,
        digits => one_case && digits <= DIGITS && (part.starts_with(word) || part.ends_with(word)),
    };
    fits && letters <= LONGEST && word.chars().all(char::is_alphabetic)
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
