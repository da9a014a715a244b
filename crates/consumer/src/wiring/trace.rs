//! `consumer trace`.

use std::process::ExitCode;

use redis_dlq::{RedisConfig, RedisDlq};
use sqlserver::{SqlServer, SqlServerConfig};

use super::{name_places, with_settings};
use crate::trace::{TraceArgs, show};

/// `consumer trace`: 0 where what is looked for was found, 1 where nothing knows it, or a part could not be asked.
pub fn trace_event(arguments: TraceArgs) -> ExitCode {
    with_settings(
        |env| (SqlServerConfig::read(env), RedisConfig::read(env)),
        async move |(database, redis)| {
            name_places(None, Some(&database), Some(&redis));
            Ok(show(&SqlServer::new(database), &RedisDlq::new(&redis)?, &arguments).await)
        },
    )
}
