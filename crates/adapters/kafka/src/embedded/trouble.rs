//! Faults on purpose, for tests of what stands above the broker.

use pipeline::Fault;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::Producer as _;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::EmbeddedBroker;
use crate::delivery::Deliveries;
use crate::faults;

/// The only broker of the cluster.
const BROKER: i32 = 1;

/// A kind of request that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Sending records.
    Produce,
    /// Fetching records.
    Fetch,
    /// Asking for the ends of a partition.
    ListOffsets,
    /// Committing offsets.
    OffsetCommit,
    /// Asking for committed offsets.
    OffsetFetch,
}

/// What the broker answers instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing: it closes the connection.
    Disconnect,
    /// The replicas took too long.
    RequestTimedOut,
    /// Another broker coordinates the group now.
    NotCoordinator,
    /// No broker coordinates the group at the moment.
    CoordinatorNotAvailable,
    /// The coordinator is still reading its state.
    CoordinatorLoadInProgress,
    /// The group has moved on without this member's knowledge.
    StaleMemberEpoch,
    /// The group does not know this member.
    UnknownMemberId,
    /// The disk failed.
    StorageError,
}

impl EmbeddedBroker {
    /// Breaks all connections and takes no new ones.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn go_away(&self) -> Result<(), Fault> {
        self.cluster()?.broker_down(BROKER).map_err(|error| faults::from_error(&error, "broker_down"))
    }

    /// Ends [`EmbeddedBroker::go_away`].
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn come_back(&self) -> Result<(), Fault> {
        self.cluster()?.broker_up(BROKER).map_err(|error| faults::from_error(&error, "broker_up"))
    }

    /// Lets the next requests of this kind fail, one for each failure, whoever sends them.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn fail_next(&self, request: Request, failures: &[Failure]) -> Result<(), Fault> {
        let errors: Vec<_> = failures.iter().map(|failure| failure.error()).collect();
        self.cluster()?.request_errors(request.key(), &errors);
        Ok(())
    }

    fn cluster(&self) -> Result<MockCluster<'_, Deliveries>, Fault> {
        self.inner.owner.client().mock_cluster().ok_or_else(|| faults::bug("mock_cluster"))
    }
}

impl Request {
    const fn key(self) -> RDKafkaApiKey {
        match self {
            Self::Produce => RDKafkaApiKey::Produce,
            Self::Fetch => RDKafkaApiKey::Fetch,
            Self::ListOffsets => RDKafkaApiKey::ListOffsets,
            Self::OffsetCommit => RDKafkaApiKey::OffsetCommit,
            Self::OffsetFetch => RDKafkaApiKey::OffsetFetch,
        }
    }
}

impl Failure {
    const fn error(self) -> RDKafkaRespErr {
        match self {
            Self::Disconnect => RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
            Self::RequestTimedOut => RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            Self::NotCoordinator => RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            Self::CoordinatorNotAvailable => RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            Self::CoordinatorLoadInProgress => RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            Self::StaleMemberEpoch => RDKafkaRespErr::RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH,
            Self::UnknownMemberId => RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            Self::StorageError => RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        }
    }
}
