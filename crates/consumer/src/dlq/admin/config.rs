//! Who may ask, and from where.

use settings::{ExposeSecret as _, Reader};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// The shortest token: shorter ones can be guessed.
const LEAST: usize = 16;
/// What a token is called that has no name.
const DEFAULT_NAME: &str = "admin";

/// Who may ask, and from where. Holds digests, so that no token can be shown.
pub struct AdminConfig {
    tokens: Vec<Token>,
    /// Whether clients on other machines are answered.
    pub allow_remote: bool,
}

struct Token {
    name: String,
    digest: [u8; 32],
}

impl AdminConfig {
    /// Reads `ADMIN_TOKEN` and `ADMIN_ALLOW_REMOTE`. Without a token nobody may ask, and there is nothing to serve.
    pub fn read(env: &mut Reader) -> Option<Self> {
        let tokens = env.secret(
            "ADMIN_TOKEN",
            "Tokens for /admin/dlq, each as `name:token`, separated by commas; 16 characters or more. The name stands in the log of every \
             change. Without it /admin does not exist.",
        );
        let allow_remote = env.flag("ADMIN_ALLOW_REMOTE", false, "Answer /admin to clients on other machines too. Put TLS in front of it.");
        let tokens: Option<Vec<Token>> = tokens?.expose_secret().split(',').map(Token::parse).collect();
        let Some(tokens) = tokens.filter(|tokens| names_differ(tokens)) else {
            env.problem(
                "ADMIN_TOKEN",
                "must be tokens of at least 16 characters without white space, each as name:token with a name of its own, separated by commas",
            );
            return None;
        };
        Some(Self { tokens, allow_remote })
    }

    /// Whose token this is. Takes equally long whichever it is, or none.
    pub(super) fn name_of(&self, token: &str) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = u32::MAX;
        for (place, known) in (0_u32..).zip(&self.tokens) {
            let same: Choice = known.digest.ct_eq(&digest);
            found = u32::conditional_select(&found, &place, same);
        }
        self.tokens.get(usize::try_from(found).ok()?).map(|token| token.name.as_str())
    }
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let (name, token) = text.trim().split_once(':').unwrap_or((DEFAULT_NAME, text.trim()));
        let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@'));
        let strong = token.chars().count() >= LEAST && !token.contains(char::is_whitespace);
        (named && strong).then(|| Self { name: name.to_owned(), digest: Sha256::digest(token).into() })
    }
}

fn names_differ(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().all(|(place, token)| tokens[..place].iter().all(|other| other.name != token.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Option<AdminConfig>, Option<String>) {
        let mut env = Reader::from_pairs([("ADMIN_TOKEN", value)]);
        let config = AdminConfig::read(&mut env);
        (config, env.finish().err().map(|problems| problems.to_string()))
    }

    #[test]
    fn each_token_has_its_name_and_a_lone_one_is_admin() {
        let (config, problem) = read("ada:0123456789abcdef, bob:fedcba9876543210");
        let config = config.unwrap();
        assert_eq!(problem, None);
        assert_eq!(config.name_of("0123456789abcdef"), Some("ada"));
        assert_eq!(config.name_of("fedcba9876543210"), Some("bob"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef ", "ada:0123456789abcdef", "0123456789ABCDEF"] {
            assert_eq!(config.name_of(wrong), None, "{wrong}");
        }
        assert_eq!(read("0123456789abcdef").0.unwrap().name_of("0123456789abcdef"), Some("admin"));
        assert!(!config.allow_remote);
    }

    #[test]
    fn weak_and_broken_tokens_are_a_problem_that_does_not_quote_them() {
        for value in ["hunter2", "ada:hunter2", "ada:0123456789abcdef,", ":0123456789abcdef", "a:0123456789abcdef,a:hunter2hunter2hunter2"]
        {
            let (config, problem) = read(value);
            let problem = problem.unwrap();
            assert!(config.is_none() && problem.contains("ADMIN_TOKEN must be"), "{value}");
            assert!(!problem.contains("hunter2") && !problem.contains("0123456789abcdef"), "{problem}");
        }
        assert!(AdminConfig::read(&mut Reader::from_pairs([])).is_none());
    }
}
