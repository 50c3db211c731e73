use crate::{
    Refused, Running,
    leash::{Leash, Leashed},
};
use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions},
};
use arrow_flight::{FlightData, encode::FlightDataEncoderBuilder, error::FlightError};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use std::sync::Arc;
use tokio::sync::Mutex;
use tonic::Status;

/// The longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 2 << 20;

/// A stream of Flight messages.
pub(super) type Messages = BoxStream<'static, Result<FlightData, Status>>;

/// A running statement as messages; the last is an empty batch that carries the receipt.
pub(super) fn result(running: Running) -> Messages {
    let schema = running.schema();
    let leash = Arc::clone(running.leash());
    let running = Arc::new(Mutex::new(Some(running)));
    let batches = futures::stream::unfold(Arc::clone(&running), |running| async move {
        let mut place = running.lock().await;
        match place.as_mut()?.next().await? {
            Ok(batch) => {
                drop(place);
                Some((Ok(batch), running))
            }
            Err(refused) => {
                if let Some(ended) = place.take() {
                    ended.abort(&refused).await;
                }
                drop(place);
                Some((Err(FlightError::from(refused.status())), running))
            }
        }
    });
    let encoded = FlightDataEncoderBuilder::new()
        .with_schema(Arc::clone(&schema))
        .with_max_flight_data_size(MESSAGE_BYTES_MAX)
        .build(batches)
        .map_err(status);
    let last = futures::stream::once(async move {
        // A stream that failed has said so; nothing follows.
        let ended = running.lock().await.take()?;
        Some(
            receipt(ended, &schema)
                .await
                .map_err(|refused| refused.status()),
        )
    });
    let messages = encoded.chain(last.filter_map(futures::future::ready));
    until_cut(leash, messages.boxed())
}

/// The stream until its operation is cut off: then it is dropped, and the caller hears why.
pub(crate) fn until_cut<T: Send + 'static>(
    leash: Arc<Leash>,
    stream: BoxStream<'static, Result<T, Status>>,
) -> BoxStream<'static, Result<T, Status>> {
    let cut = futures::stream::unfold(Some((leash, stream)), |held| async move {
        let (leash, mut stream) = held?;
        match leash.hold(stream.next()).await {
            Ok(next) => Some((next?, Some((leash, stream)))),
            Err(refused) => Some((Err(refused.status()), None)),
        }
    });
    cut.boxed()
}

async fn receipt(running: Running, schema: &SchemaRef) -> Result<FlightData, Refused> {
    let receipt = running.finish().await?.to_string();
    let empty = RecordBatch::new_empty(Arc::clone(schema));
    let encoded = IpcDataGenerator::default().encode(
        &empty,
        &mut DictionaryTracker::new(false),
        &IpcWriteOptions::default(),
        &mut IpcWriteContext::default(),
    );
    let (_, last) = encoded.map_err(|_| Refused::internal("flight.unencoded"))?;
    let mut last: FlightData = last.into();
    last.app_metadata = receipt.into();
    Ok(last)
}

/// One batch as messages: metadata answers.
pub(super) fn one(batch: RecordBatch) -> Messages {
    let schema = batch.schema();
    let batches = futures::stream::iter([Ok(batch)]);
    FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .build(batches)
        .map_err(status)
        .boxed()
}

/// Errors of ours carry their own status; others nothing of their text.
fn status(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        _ => Refused::internal("flight.unencoded").status(),
    }
}
