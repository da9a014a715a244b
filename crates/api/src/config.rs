//! The settings.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use settings::Reader;
use sqlserver::SqlServerConfig;
use telemetry::LoggingConfig;

/// Where the API listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Address and port.
    pub address: SocketAddr,
}

impl ApiConfig {
    /// Reads `API_HOST` and `API_PORT`.
    ///
    /// The answers hold personal data and nobody is asked who they are, so that nothing but this machine is served unless told otherwise.
    pub fn read(env: &mut Reader) -> Self {
        let host =
            env.text("API_HOST", "127.0.0.1", "IP address the read API listens on; 0.0.0.0, as containers need it, is every address.");
        let port = env.number(
            "API_PORT",
            8080,
            0..=u16::MAX,
            "Port of the read API; 0 takes any free one, and so does `standalone` where this is not set and 8080 is taken.",
        );
        let ip = host.parse().unwrap_or_else(|_| {
            env.problem("API_HOST", "must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::1");
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        });
        Self { address: SocketAddr::new(ip, port) }
    }
}

/// Everything that the program `api` reads.
#[derive(Debug)]
pub struct Config {
    /// Where it listens.
    pub api: ApiConfig,
    /// Where it reads.
    pub database: SqlServerConfig,
    /// What it logs.
    pub logging: LoggingConfig,
}

impl Config {
    /// Reads all of it.
    pub fn read(env: &mut Reader) -> Self {
        Self { api: ApiConfig::read(env), database: SqlServerConfig::read_for_reads(env), logging: LoggingConfig::read(env) }
    }

    /// The variables with their defaults, for `--help`.
    pub fn help() -> String {
        let mut env = Reader::from_pairs([]);
        Self::read(&mut env);
        let lines = env.variables().iter().map(|variable| {
            let default = variable.default.as_ref().map_or_else(String::new, |default| format!(" [{default}]"));
            format!("  {}{default}\n          {}\n", variable.name, variable.help)
        });
        let settings: String = lines.collect();
        format!("Variables, in the environment or a .env file [default]:\n{}", settings.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_served_unless_told_otherwise() {
        assert_eq!(ApiConfig::read(&mut Reader::from_pairs([])).address, "127.0.0.1:8080".parse().unwrap());
        let mut env = Reader::from_pairs([("API_HOST", "::"), ("API_PORT", "80")]);
        assert_eq!(ApiConfig::read(&mut env).address, "[::]:80".parse().unwrap());
        assert!(env.finish().is_ok());
    }

    #[test]
    fn the_help_names_every_setting_with_its_default() {
        let help = Config::help();
        for part in ["API_HOST [127.0.0.1]\n", "API_PORT [8080]\n", "MSSQL_PASSWORD\n", "LOG_LEVEL [info]\n", "MSSQL_DATABASE [eventdb]\n"]
        {
            assert!(help.contains(part), "{part}: {help}");
        }
    }

    #[test]
    fn a_host_that_is_no_address_is_a_problem() {
        let mut env = Reader::from_pairs([("API_HOST", "localhost"), ("API_PORT", "http")]);
        ApiConfig::read(&mut env);
        let problems = env.finish().unwrap_err().to_string();
        assert!(problems.contains("API_HOST must be an IP address") && problems.contains("API_PORT must be a number"), "{problems}");
    }
}
