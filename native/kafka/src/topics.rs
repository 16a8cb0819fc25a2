//! Whether the topics are as the guarantees need them.

use crate::clock::Deadline;
use crate::config::KafkaConfig;
use crate::context::{Context, drain};
use crate::error::SinkError;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime;

const POLICY: &str = "cleanup.policy";
const COMPACT: &str = "compact";

/// Asks for both topics. Costs a round trip each.
pub(crate) fn check(
    producer: &BaseProducer<Context>,
    config: &KafkaConfig,
    deadline: Deadline,
) -> Result<(), SinkError> {
    for topic in [&config.data_topic, &config.checkpoint_topic] {
        let found = producer.client().fetch_metadata(Some(topic), deadline.remaining()).map_err(|error| {
            // Whoever is not reached has not refused: the client's last trouble says more than a time-out.
            drain(producer);
            let trouble = producer.client().context().trouble();
            let problem = if trouble.is_empty() { error.to_string() } else { trouble };
            SinkError::Unreachable { brokers: config.brokers.clone(), problem }
        })?;
        let about = found.topics().iter().find(|about| about.name() == topic);
        let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        match about {
            Some(about)
                if about.error().is_none_or(|error| error != unknown) && !about.partitions().is_empty() =>
            {
                let partitions = about.partitions().len();
                if partitions != usize::from(config.shards) {
                    let (topic, shards) = (topic.clone(), config.shards);
                    return Err(SinkError::Partitions { topic, found: partitions, shards });
                }
            }
            Some(about) if about.error().is_some_and(|error| error != unknown) => {
                let code = about.error().map(RDKafkaErrorCode::from);
                let problem = code.map_or_else(String::new, |code| code.to_string());
                return Err(SinkError::Client { what: "asking for the topics", problem });
            }
            _ => return Err(SinkError::NoTopic { topic: topic.clone(), shards: config.shards }),
        }
    }
    Ok(())
}

/// Asks whether the checkpoint topic is compacted. A broker that keeps its configuration to itself is believed.
pub(crate) fn check_compaction(
    config: &KafkaConfig,
    context: Context,
    deadline: Deadline,
) -> Result<(), SinkError> {
    const WHAT: &str = "asking for the checkpoint topic's configuration";
    let of = |error| SinkError::of(WHAT, &error);
    let admin: AdminClient<Context> = config.client().create_with_context(context).map_err(of)?;
    let problem = |error: std::io::Error| SinkError::System { what: WHAT, problem: error.to_string() };
    let runtime = runtime::Builder::new_current_thread().build().map_err(problem)?;
    let options = AdminOptions::new().request_timeout(Some(deadline.remaining()));
    let topics = [ResourceSpecifier::Topic(&config.checkpoint_topic)];
    let answers = runtime.block_on(admin.describe_configs(&topics, &options)).map_err(of)?;
    let policy = answers.into_iter().find_map(|answer| answer.ok().and_then(|found| policy(&found)));
    match policy {
        Some(policy) if policy != COMPACT => {
            Err(SinkError::NotCompacted { topic: config.checkpoint_topic.clone(), policy })
        }
        _ => Ok(()),
    }
}

fn policy(found: &ConfigResource) -> Option<String> {
    found.entries.iter().find(|entry| entry.name == POLICY).and_then(|entry| entry.value.clone())
}
