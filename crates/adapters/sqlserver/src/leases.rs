//! Who of several processes does what one is to do.

use std::time::Duration;

use pipeline::Fault;
use pipeline::ports::Leases;
use uuid::Uuid;

use crate::row::only_row;
use crate::statement::{RELEASE_LEASE, TAKE_LEASE};
use crate::store::SqlServer;

impl Leases for SqlServer {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        let seconds = i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
        let sets = self.pool.ask(&TAKE_LEASE, &[&name, &holder, &seconds]).await?.accept();
        Ok(only_row(&sets, &TAKE_LEASE)?.natural::<i32, u32>("held")? > 0)
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        self.pool.ask(&RELEASE_LEASE, &[&name, &holder]).await?.accept();
        Ok(())
    }
}
