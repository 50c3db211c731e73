use crate::{
    Failed, Front,
    arrow_type::witness_fields,
    mask::Tokens,
    sealed_file::SealedFile,
    translate::{Translation, is_witness},
};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StructArray},
    datatypes::{Field, Schema, SchemaRef},
    ipc::writer::StreamWriter,
};
use bytes::Bytes;
use datafusion::{
    execution::{
        SessionStateBuilder,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::GreedyMemoryPool,
        runtime_env::RuntimeEnvBuilder,
        session_state::SessionState,
    },
    physical_plan::execute_stream,
    prelude::SessionConfig,
};
use futures::StreamExt;
use plan::{Accept, Bounds, Plan};
use std::{fs::File, io, sync::Arc};
use wire::job::{Done, RunFrame, RunJob};

/// Threads that work at a job, besides the one that waits for it.
pub(crate) const THREADS: usize = 2;
/// The share of the memory limit that operators may keep.
const POOL_SHARE: u64 = 2;
/// The share in which all scans together may hold rows that they put in order.
const HELD_SHARE: usize = 8;

/// Everything about a session that no job changes; made while a child waits.
pub(crate) fn warm() -> SessionStateBuilder {
    // Where the stack ends is remembered: behind the walls it can't be asked any more.
    stacker::remaining_stack();
    let mut config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(1);
    let options = config.options_mut();
    options.execution.collect_statistics = false;
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    // It compares nullability, in which the engine's own casts that may fail disagree with themselves;
    // types are compared by us.
    options.execution.skip_physical_aggregate_schema_check = true;
    SessionStateBuilder::new_with_default_features().with_config(config)
}

/// Runs one job over its sources' files, which come in their order; every batch goes to the front as it
/// comes.
///
/// # Errors
/// [`Failed`]: a code, never a value.
pub async fn run(job: RunJob, files: Vec<File>, front: &mut dyn Front) -> Result<Done, Failed> {
    run_with(warm(), (job, files), front).await
}

pub(crate) async fn run_with(
    warm: SessionStateBuilder,
    (job, files): (RunJob, Vec<File>),
    front: &mut dyn Front,
) -> Result<Done, Failed> {
    if job.sources.len() != files.len() {
        return Err(Failed::Job);
    }
    let files: io::Result<Vec<_>> = files.into_iter().map(SealedFile::new).collect();
    let files = files.map_err(|_| Failed::Data)?;
    let sources: Vec<_> = job.sources.into_iter().zip(files).collect();
    let plan = Plan::decode(&job.plan, Accept::Confined, &Bounds::default());
    let plan = plan.map_err(|_| Failed::Job)?;
    plan.fields().map_err(|_| Failed::Job)?;
    // INVARIANT (one order): what owes anything, or is masked, is computed by one thread, and its rows come
    // in the one order that the scenario has for them, so that the same rows give the same sums to the last
    // bit.
    let is_open = sources.iter().all(|(source, _)| source.order_key.is_none());
    let partitions = if is_open { THREADS } else { 1 };
    let memory = usize::try_from(job.memory_bytes_max).map_err(|_| Failed::Job)?;
    let held_bytes_max = memory / HELD_SHARE / plan.root.scans().len().max(1);
    let state = session(warm, partitions, job.memory_bytes_max)?;
    let mut translation = Translation {
        state: &state,
        sources: &sources,
        tokens: Tokens::new(job.token_key.as_ref()),
        held_bytes_max,
        withheld: 0,
        front,
        nodes: 0,
    };
    let relation = translation.relation(&plan.root).await?;
    let withheld = translation.withheld;
    let physical = state.create_physical_plan(&relation.plan).await?;
    let schema = outside(&physical.schema());
    let mut stream = execute_stream(physical, state.task_ctx())?;
    let rows_max = usize::try_from(job.batch_rows_max)
        .map_err(|_| Failed::Job)?
        .max(1);
    let (mut rows, mut sent) = (0u64, false);
    while let Some(batch) = stream.next().await {
        let batch = stripped(&batch?, &schema)?;
        let mut from = 0;
        while from < batch.num_rows() {
            let part = batch.slice(from, rows_max.min(batch.num_rows() - from));
            from += part.num_rows();
            rows += part.num_rows() as u64;
            front.tell(RunFrame::Batch(ipc(&part)?))?;
            sent = true;
        }
    }
    if !sent {
        front.tell(RunFrame::Batch(ipc(&RecordBatch::new_empty(schema))?))?;
    }
    let (cpu_us, memory_peak_bytes) = jail::usage();
    Ok(Done {
        rows,
        groups_withheld: withheld,
        cpu_us,
        memory_peak_bytes,
    })
}

fn session(
    mut warm: SessionStateBuilder,
    partitions: usize,
    memory_bytes_max: u64,
) -> Result<SessionState, Failed> {
    if let Some(config) = warm.config() {
        *config = std::mem::take(config).with_target_partitions(partitions);
    }
    let pool = usize::try_from(memory_bytes_max / POOL_SHARE).map_err(|_| Failed::Job)?;
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(pool)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    Ok(warm.with_runtime_env(runtime).build())
}

/// The schema that leaves: plain names, witnesses without their hashed subjects.
fn outside(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(at, field)| {
        let data_type = if is_witness(field.data_type()) {
            arrow::datatypes::DataType::Struct(witness_fields(false))
        } else {
            field.data_type().clone()
        };
        Field::new(format!("c{at}"), data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn stripped(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Failed> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| -> Result<ArrayRef, Failed> {
            let Some(tally) = column.as_struct_opt() else {
                return Ok(Arc::clone(column));
            };
            let fields = witness_fields(false);
            let kept = fields
                .iter()
                .map(|field| tally.column_by_name(field.name()).cloned());
            let kept = kept.collect::<Option<Vec<_>>>().ok_or(Failed::Schema)?;
            let nulls = tally.nulls().cloned();
            Ok(Arc::new(
                StructArray::try_new(fields, kept, nulls).map_err(|_| Failed::Schema)?,
            ))
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| Failed::Schema)
}

fn ipc(batch: &RecordBatch) -> Result<Bytes, Failed> {
    let written = || {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
        writer.write(batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    written().map(Bytes::from).map_err(|_| Failed::Internal)
}

#[cfg(test)]
mod tests;
