//! Who may ask, and from where.

use console::Place;
use settings::{ExposeSecret as _, Reader};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// The shortest token: shorter ones can be guessed.
const LEAST: usize = 16;
/// What a token is called that has no name.
const DEFAULT_NAME: &str = "admin";

/// What somebody may do. Each role may also do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdminRole {
    /// Sees everything but payloads and keys, which may be personal data.
    Viewer,
    /// Redrives, purges, lets floods pass, begins a verification, runs a check, and compacts the ledger.
    Operator,
    /// Sees payloads, exports and imports them, and sends edited ones.
    Editor,
}

const ROLES: [(&str, AdminRole); 3] = [("viewer", AdminRole::Viewer), ("operator", AdminRole::Operator), ("editor", AdminRole::Editor)];

/// Who may ask, and from where. Holds digests, so that no token can be shown.
pub struct AdminConfig {
    tokens: Vec<Token>,
    /// From where, and under which names.
    pub place: Place,
}

struct Token {
    name: String,
    role: AdminRole,
    digest: [u8; 32],
}

impl AdminConfig {
    /// Reads `ADMIN_TOKEN`, `ADMIN_ROLES` and `ADMIN_ALLOW_REMOTE`. Without a token nobody may ask, and there is nothing to serve.
    pub fn read(env: &mut Reader) -> Option<Self> {
        let tokens = env.secret(
            "ADMIN_TOKEN",
            "Tokens for /console and /admin, each as `name:token`, separated by commas; 16 characters or more. The name stands in the log \
             of every change. Without it neither exists.",
        );
        let roles = env.optional(
            "ADMIN_ROLES",
            "What the names of ADMIN_TOKEN may do, each as `name:role`, separated by commas: a `viewer` sees all but payloads and keys, an \
             `operator` also redrives, purges, lets floods pass and compacts the ledger, an `editor` also sees payloads, edits, exports and imports. A name without \
             a role is an editor.",
        );
        let allow_remote =
            env.flag("ADMIN_ALLOW_REMOTE", false, "Answer /console and /admin to clients on other machines too. Put TLS in front of it.");
        let hosts = env.optional(
            "ADMIN_HOSTS",
            "Names, separated by commas, under which /console and /admin are answered beside localhost and, to clients on other machines, addresses of \
             numbers: the name of the server, or of the proxy in front of it. Any other name is refused, because a page of another site can have its own \
             name lead here.",
        );
        let Some(tokens) = tokens else {
            for (name, is_set) in [("ADMIN_ROLES", roles.is_some()), ("ADMIN_ALLOW_REMOTE", allow_remote), ("ADMIN_HOSTS", hosts.is_some())]
            {
                if is_set {
                    env.problem(name, "has no effect without ADMIN_TOKEN");
                }
            }
            return None;
        };
        let tokens: Option<Vec<Token>> = tokens.expose_secret().split(',').map(Token::parse).collect();
        let Some(tokens) = tokens.filter(|tokens| names_differ(tokens)) else {
            env.problem(
                "ADMIN_TOKEN",
                "must be tokens of at least 16 characters without white space, each as name:token with a name of its own and unlike the others, separated by \
                 commas",
            );
            return None;
        };
        let Some(hosts) = names(hosts.as_deref().unwrap_or_default()) else {
            env.problem("ADMIN_HOSTS", "must be names without ports, such as console.example.com, separated by commas");
            return None;
        };
        let mut config = Self { tokens, place: Place { allow_remote, hosts } };
        for role in roles.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|role| !role.is_empty()) {
            if !config.give(role) {
                env.problem(
                    "ADMIN_ROLES",
                    "must be names of ADMIN_TOKEN, each as name:viewer, name:operator or name:editor, separated by commas",
                );
                return None;
            }
        }
        Some(config)
    }

    /// One editor with this token, for clients on this machine.
    pub fn of_token(token: &str) -> Self {
        let token = Token { name: DEFAULT_NAME.to_owned(), role: AdminRole::Editor, digest: Sha256::digest(token).into() };
        Self { tokens: vec![token], place: Place::default() }
    }

    /// Gives a role to a name, where both are known.
    fn give(&mut self, text: &str) -> bool {
        let Some((name, role)) = text.split_once(':') else { return false };
        let role = ROLES.into_iter().find(|(label, _)| *label == role.trim());
        let token = self.tokens.iter_mut().find(|token| token.name == name.trim());
        role.zip(token).map(|((_, role), token)| token.role = role).is_some()
    }

    /// Whose token this is, and what they may do. Takes equally long whichever it is, or none.
    pub fn account_of(&self, token: &str) -> Option<(&str, AdminRole)> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = u32::MAX;
        for (place, known) in (0_u32..).zip(&self.tokens) {
            let same: Choice = known.digest.ct_eq(&digest);
            found = u32::conditional_select(&found, &place, same);
        }
        self.tokens.get(usize::try_from(found).ok()?).map(|token| (token.name.as_str(), token.role))
    }
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let (name, token) = text.trim().split_once(':').unwrap_or((DEFAULT_NAME, text.trim()));
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@'));
        let strong = token.chars().count() >= LEAST && !token.contains(char::is_whitespace);
        (named && strong).then(|| Self { name: name.to_owned(), role: AdminRole::Editor, digest: Sha256::digest(token).into() })
    }
}

/// Names of hosts; `None` where one is none.
fn names(text: &str) -> Option<Vec<String>> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| is_name(name).then(|| name.to_owned())).collect()
}

fn names_differ(tokens: &[Token]) -> bool {
    // Two names with one token would leave open which role it has.
    let differ = |a: &Token, b: &Token| a.name != b.name && a.digest != b.digest;
    tokens.iter().enumerate().all(|(place, token)| tokens[..place].iter().all(|other| differ(other, token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Option<AdminConfig>, Option<String>) {
        let mut env = Reader::from_pairs([("ADMIN_TOKEN", value)]);
        let config = AdminConfig::read(&mut env);
        (config, env.finish().err().map(|problems| problems.to_string()))
    }

    fn name_of<'c>(config: &'c AdminConfig, token: &str) -> Option<&'c str> {
        config.account_of(token).map(|(name, _)| name)
    }

    #[test]
    fn roles_are_given_by_name_and_who_has_none_is_an_editor() {
        let tokens = ("ADMIN_TOKEN", "ada:0123456789abcdef,bob:fedcba9876543210,eve:0123456789abcde-");
        let read = |roles: &'static str| {
            let mut env = Reader::from_pairs([tokens, ("ADMIN_ROLES", roles)]);
            (AdminConfig::read(&mut env), env.finish().err().map(|problems| problems.to_string()))
        };
        let (config, problem) = read("ada:viewer, bob: operator,");
        let config = config.unwrap();
        assert_eq!(problem, None);
        assert_eq!(config.account_of("0123456789abcdef"), Some(("ada", AdminRole::Viewer)));
        assert_eq!(config.account_of("fedcba9876543210"), Some(("bob", AdminRole::Operator)));
        assert_eq!(config.account_of("0123456789abcde-"), Some(("eve", AdminRole::Editor)));
        for wrong in ["ada", "ada:king", "somebody:viewer", "viewer:ada"] {
            let (config, problem) = read(wrong);
            assert!(config.is_none() && problem.unwrap().contains("ADMIN_ROLES must be names of ADMIN_TOKEN"), "{wrong}");
        }
    }

    #[test]
    fn each_token_has_its_name_and_a_lone_one_is_admin() {
        let (config, problem) = read("ada:0123456789abcdef, bob:fedcba9876543210");
        let config = config.unwrap();
        assert_eq!(problem, None);
        assert_eq!(name_of(&config, "0123456789abcdef"), Some("ada"));
        assert_eq!(name_of(&config, "fedcba9876543210"), Some("bob"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef ", "ada:0123456789abcdef", "0123456789ABCDEF"] {
            assert_eq!(name_of(&config, wrong), None, "{wrong}");
        }
        assert_eq!(name_of(&read("0123456789abcdef").0.unwrap(), "0123456789abcdef"), Some("admin"));
        assert!(!config.place.allow_remote && config.place.hosts.is_empty());
    }

    #[test]
    fn further_names_are_names_without_ports() {
        let read = |hosts: &'static str| {
            let mut env = Reader::from_pairs([("ADMIN_TOKEN", "0123456789abcdef"), ("ADMIN_HOSTS", hosts)]);
            (AdminConfig::read(&mut env).map(|config| config.place.hosts), env.finish().err().map(|problems| problems.to_string()))
        };
        assert_eq!(read("console.test, ops-1,").0.unwrap(), ["console.test", "ops-1"]);
        for wrong in ["console.test:9102", "http://console.test", "*", "a b"] {
            let (hosts, problem) = read(wrong);
            assert!(hosts.is_none() && problem.unwrap().contains("ADMIN_HOSTS must be names without ports"), "{wrong}");
        }
    }

    #[test]
    fn weak_and_broken_tokens_are_a_problem_that_does_not_quote_them() {
        for value in [
            "hunter2",
            "ada:hunter2",
            "ada:0123456789abcdef,",
            ":0123456789abcdef",
            "a:0123456789abcdef,a:hunter2hunter2hunter2",
            "a:hunter2hunter2hunter2,b:hunter2hunter2hunter2",
        ] {
            let (config, problem) = read(value);
            let problem = problem.unwrap();
            assert!(config.is_none() && problem.contains("ADMIN_TOKEN must be"), "{value}");
            assert!(!problem.contains("hunter2") && !problem.contains("0123456789abcdef"), "{problem}");
        }
        assert!(AdminConfig::read(&mut Reader::from_pairs([])).is_none());
    }
}
