use anyhow::{Context, Result, bail, ensure};
use thiserror::Error;

#[derive(Debug, Error, PartialEq)]
enum ConfigError {
    #[error("line {line}: no `=`")]
    NoEquals { line: usize },
    #[error("unknown key {0:?}")]
    UnknownKey(String),
    #[error("port is not a number")]
    Port(#[from] std::num::ParseIntError),
}

#[derive(Debug, Default)]
struct Config {
    host: String,
    port: u16,
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    for (index, line) in text.lines().enumerate() {
        let (key, value) = line.split_once('=').ok_or(ConfigError::NoEquals { line: index + 1 })?;
        match key.trim() {
            "host" => config.host = value.trim().to_owned(),
            "port" => config.port = value.trim().parse()?,
            other => return Err(ConfigError::UnknownKey(other.to_owned())),
        }
    }
    Ok(config)
}

fn load(text: &str) -> Result<Config> {
    let config = parse(text).with_context(|| format!("cannot read {} bytes", text.len()))?;
    ensure!(!config.host.is_empty(), "host is missing");
    if config.port < 1024 {
        bail!("port {} is privileged", config.port);
    }
    Ok(config)
}

fn main() -> Result<()> {
    for text in ["host = a\nport = 8080", "host", "hots = a", "port = 99999", "port = 8080", "host = a\nport = 80"] {
        match load(text) {
            Ok(config) => println!("{}:{}", config.host, config.port),
            Err(error) => println!("{error:#}{}", match error.downcast_ref::<ConfigError>() {
                Some(ConfigError::Port(_)) => " (a port)",
                Some(_) => " (a config error)",
                None => "",
            }),
        }
    }
    load("port = x").context("last attempt")?;
    Ok(())
}
