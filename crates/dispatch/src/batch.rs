//! A frame's bytes → a record batch of exactly the expected columns.
//!
//! The child's schema is not read at all: its bytes must be ours. Every length and offset is checked
//! before the decoder, which would trust some of them, sees the message.

use crate::arrow_schema;
use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    datatypes::{DataType, Schema, SchemaRef},
    ipc::{self, MetadataVersion, reader::read_record_batch, writer::StreamWriter},
};
use bytes::Bytes;
use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};
use terms::Type;

/// What every batch of a job must look like.
#[derive(Debug)]
pub(crate) struct Expected {
    schema: SchemaRef,
    /// The bytes a stream of this schema begins with.
    preamble: Vec<u8>,
    nodes: usize,
    buffers: usize,
    rows_max: u32,
    /// How many reports of cells the plan has.
    reports: u32,
}

/// The mark before each message's length.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// The end of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// What is wrong with a frame, in our own words.
pub(crate) type Misfit = &'static str;

impl Expected {
    /// Of a plan's root columns. None for types that never cross.
    pub(crate) fn of(types: &[Type], rows_max: u32) -> Option<Self> {
        let schema = arrow_schema::expected(types)?;
        let (nodes, buffers) = layout(&schema);
        let writer = StreamWriter::try_new(Vec::new(), &schema).ok()?;
        let preamble = writer.get_ref().clone();
        Some(Self {
            schema: Arc::new(schema),
            preamble,
            nodes,
            buffers,
            rows_max,
            reports: 0,
        })
    }

    /// Of a plan that reports so many kinds of cells.
    pub(crate) fn with_reports(self, reports: usize) -> Self {
        let reports = u32::try_from(reports).unwrap_or(0);
        Self { reports, ..self }
    }

    pub(crate) const fn reports(&self) -> u32 {
        self.reports
    }

    /// Reads a complete IPC stream of one batch.
    pub(crate) fn read(&self, frame: &Bytes) -> Result<RecordBatch, Misfit> {
        let stream = frame
            .strip_prefix(self.preamble.as_slice())
            .ok_or("another schema")?;
        let stream = stream.strip_prefix(&CONTINUATION).ok_or("no batch")?;
        let (size, stream) = stream.split_first_chunk::<4>().ok_or("no batch")?;
        let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| "no batch")?;
        let (metadata, rest) = stream.split_at_checked(size).ok_or("a cut batch")?;
        let message = ipc::root_as_message(metadata).map_err(|_| "an unreadable batch header")?;
        let length = usize::try_from(message.bodyLength()).map_err(|_| "a negative length")?;
        let (body, end) = rest.split_at_checked(length).ok_or("a cut batch")?;
        if !(end.is_empty() || end == END) {
            return Err("more than one batch");
        }
        let header = message.header_as_record_batch().ok_or("no batch")?;
        let version = message.version();
        if version != MetadataVersion::V5 {
            return Err("another version");
        }
        self.fits(&header, length)?;
        let body = Buffer::from(frame.slice_ref(body));
        // The decoder was written for streams that are sound; what is left of it that could panic on
        // others ends here.
        let decoded = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let schema = Arc::clone(&self.schema);
            read_record_batch(&body, header, schema, &HashMap::new(), None, &version)
        }));
        match decoded {
            Ok(Ok(batch)) if batch.schema_ref() == &self.schema => Ok(batch),
            Ok(_) => Err("invalid columns"),
            Err(_) => Err("columns that broke the decoder"),
        }
    }

    /// Whether every count, length and offset is one that a batch of these columns can have.
    fn fits(&self, header: &ipc::RecordBatch<'_>, body: usize) -> Result<(), Misfit> {
        if header.compression().is_some() {
            return Err("compressed columns");
        }
        if header
            .variadicBufferCounts()
            .is_some_and(|counts| !counts.is_empty())
        {
            return Err("view columns");
        }
        let rows = header.length();
        if rows < 0 || rows > i64::from(self.rows_max) {
            return Err("too many rows in a batch");
        }
        let nodes = header.nodes().ok_or("no columns")?;
        let node_fits = |node: &ipc::FieldNode| {
            node.length() == rows && (0..=rows).contains(&node.null_count())
        };
        if nodes.len() != self.nodes || !nodes.iter().all(node_fits) {
            return Err("columns of another length");
        }
        let buffers = header.buffers().ok_or("no columns")?;
        let buffer_fits = |buffer: &ipc::Buffer| {
            let offset = usize::try_from(buffer.offset()).ok();
            let length = usize::try_from(buffer.length()).ok();
            let end = offset
                .zip(length)
                .and_then(|(offset, length)| offset.checked_add(length));
            end.is_some_and(|end| end <= body)
        };
        if buffers.len() != self.buffers || !buffers.iter().all(buffer_fits) {
            return Err("buffers outside the batch");
        }
        Ok(())
    }
}

/// Nodes and buffers of a batch of this schema.
fn layout(schema: &Schema) -> (usize, usize) {
    let (mut nodes, mut buffers) = (0, 0);
    let mut open: Vec<&DataType> = schema
        .fields()
        .iter()
        .map(|field| field.data_type())
        .collect();
    while let Some(data_type) = open.pop() {
        nodes += 1;
        buffers += 2;
        if data_type == &DataType::Utf8 {
            buffers += 1;
        } else if let DataType::Struct(fields) = data_type {
            buffers -= 1;
            open.extend(fields.iter().map(|field| field.data_type()));
        }
    }
    (nodes, buffers)
}

#[cfg(test)]
mod tests;
