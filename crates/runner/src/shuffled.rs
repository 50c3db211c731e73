//! The masked view of a file in an order of the scenario's own, in bounded memory.
//!
//! A section is read whole and its rows are held by their ranks, before masks, which are put on as rows are
//! given. Where they are too many to hold, those of the first ranks are held alone, and the section is read
//! again for the next ones: memory changes what it costs, and never the order or where a batch ends.

use crate::{
    Failed,
    order::{Extent, Order},
    scan::{BATCH_ROWS, MaskedView},
};
use arrow::{
    array::{Array, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array},
    buffer::BooleanBuffer,
    compute::{filter, filter_record_batch, interleave},
};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::{iter::Enumerate, ops::Range, vec::IntoIter};

/// The batches of a view, in order.
pub(crate) struct Shuffled {
    view: MaskedView,
    footer: ArrowReaderMetadata,
    order: Order,
    extents: Vec<Extent>,
    sections: Enumerate<IntoIter<Vec<usize>>>,
    section: Section,
    window: Window,
}

/// Row groups whose rows are mixed.
struct Section {
    groups: Vec<usize>,
    /// The place of each row, as they are read.
    ranks: UInt32Array,
    /// The first rank that was not held yet.
    next: usize,
    /// How many ranks are held at a time.
    width: usize,
}

/// Rows that were read together, each with its rank.
struct Piece {
    rows: RecordBatch,
    ranks: UInt32Array,
}

/// The rows of some ranks, one after another.
#[derive(Default)]
struct Window {
    pieces: Vec<RecordBatch>,
    /// In which piece the row of each rank is, and where; none where a row policy hides it.
    places: Vec<Option<(u32, u32)>>,
    next: usize,
}

// === impl Shuffled ===

impl Shuffled {
    pub(crate) fn new(view: MaskedView) -> Result<Self, Failed> {
        let (footer, order) = (view.footer()?, view.order()?);
        let size = |number: i64| u64::try_from(number).map_err(|_| Failed::Data);
        let groups = footer.metadata().row_groups().iter();
        let extents = groups.map(|group| -> Result<_, Failed> {
            Ok(Extent {
                rows: size(group.num_rows())?,
                bytes: size(group.total_byte_size())?,
            })
        });
        let extents = extents.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            sections: order.sections(&extents).into_iter().enumerate(),
            view,
            footer,
            order,
            extents,
            section: Section::new(vec![], vec![]),
            window: Window::default(),
        })
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, Failed> {
        loop {
            if let Some(rows) = self.window.batch()? {
                return self.view.shown(&rows).map(Some);
            }
            if self.section.next < self.section.ranks.len() {
                self.window = self.read()?;
            } else if let Some((number, groups)) = self.sections.next() {
                let extents = groups.iter().filter_map(|group| self.extents.get(*group));
                let rows = extents.map(|extent| extent.rows).sum();
                let ranks = self.order.ranks(number, rows)?;
                self.section = Section::new(groups, ranks);
            } else {
                return Ok(None);
            }
        }
    }

    /// Holds the next rows of the section: all that are left, or as many of them as there is room for.
    fn read(&mut self) -> Result<Window, Failed> {
        let section = &mut self.section;
        let all = section.ranks.len();
        let mut held = section.next..all.min(section.next.saturating_add(section.width));
        let reader = self.view.reader(&self.footer, &section.groups)?;
        let (mut pieces, mut read) = (Vec::new(), 0);
        for rows in reader {
            let rows = rows.map_err(|_| Failed::Data)?;
            if rows.num_rows() > all - read {
                return Err(Failed::Data);
            }
            let ranks = section.ranks.slice(read, rows.num_rows());
            read += rows.num_rows();
            let seen = self.view.seen(&rows)?;
            let mut piece = Piece { rows, ranks };
            if let Some(seen) = seen {
                piece = piece.filtered(&seen)?;
            }
            pieces.push(piece.within(&held, all)?);
            while held.len() > BATCH_ROWS && bytes(&pieces) > self.view.held_bytes_max() {
                // Of whole batches, so that these end where they would have ended.
                section.width = (held.len() / 2).next_multiple_of(BATCH_ROWS);
                held.end = held.start + section.width;
                let fewer = pieces.into_iter().map(|piece| piece.within(&held, all));
                pieces = fewer.collect::<Result<_, _>>()?;
            }
        }
        if read != all {
            return Err(Failed::Data);
        }
        section.next = held.end;
        Window::of(pieces, &held)
    }
}

impl Iterator for Shuffled {
    type Item = Result<RecordBatch, Failed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

fn bytes(pieces: &[Piece]) -> usize {
    let rows = pieces.iter().map(|piece| &piece.rows);
    rows.map(RecordBatch::get_array_memory_size).sum()
}

// === impl Section ===

impl Section {
    fn new(groups: Vec<usize>, ranks: Vec<u32>) -> Self {
        Self {
            groups,
            next: 0,
            width: ranks.len(),
            ranks: ranks.into(),
        }
    }
}

// === impl Piece ===

impl Piece {
    fn filtered(self, kept: &BooleanArray) -> Result<Self, Failed> {
        let ranks = filter(&self.ranks, kept).map_err(|_| Failed::Internal)?;
        Ok(Self {
            rows: filter_record_batch(&self.rows, kept).map_err(|_| Failed::Internal)?,
            ranks: UInt32Array::from(ranks.to_data()),
        })
    }

    /// Those of these ranks, out of so many.
    fn within(self, held: &Range<usize>, all: usize) -> Result<Self, Failed> {
        if held.len() == all {
            return Ok(self);
        }
        let ranks = self.ranks.values().iter();
        let kept: BooleanBuffer = ranks
            .map(|rank| usize::try_from(*rank).is_ok_and(|rank| held.contains(&rank)))
            .collect();
        self.filtered(&BooleanArray::new(kept, None))
    }
}

// === impl Window ===

impl Window {
    fn of(pieces: Vec<Piece>, held: &Range<usize>) -> Result<Self, Failed> {
        let mut places = vec![None; held.len()];
        let number = |at: usize| u32::try_from(at).map_err(|_| Failed::Internal);
        for (at, piece) in pieces.iter().enumerate() {
            for (row, rank) in piece.ranks.values().iter().enumerate() {
                let rank = usize::try_from(*rank).map_err(|_| Failed::Internal)?;
                let place = rank.checked_sub(held.start);
                let place = place.and_then(|place| places.get_mut(place));
                *place.ok_or(Failed::Internal)? = Some((number(at)?, number(row)?));
            }
        }
        Ok(Self {
            pieces: pieces.into_iter().map(|piece| piece.rows).collect(),
            places,
            next: 0,
        })
    }

    /// The rows of as many ranks as a batch has; none where all were given.
    fn batch(&mut self) -> Result<Option<RecordBatch>, Failed> {
        loop {
            let end = self.places.len().min(self.next.saturating_add(BATCH_ROWS));
            let ranks = self.places.get(self.next..end).unwrap_or_default();
            if ranks.is_empty() {
                *self = Self::default();
                return Ok(None);
            }
            let places = ranks.iter().flatten();
            let places: Vec<(usize, usize)> = places
                .map(|(piece, row)| (*piece as usize, *row as usize))
                .collect();
            self.next = end;
            if !places.is_empty() {
                return self.gathered(&places).map(Some);
            }
        }
    }

    fn gathered(&self, places: &[(usize, usize)]) -> Result<RecordBatch, Failed> {
        let first = self.pieces.first().ok_or(Failed::Internal)?;
        let columns = (0..first.num_columns()).map(|at| {
            let columns = self
                .pieces
                .iter()
                .filter_map(|piece| piece.columns().get(at));
            let columns: Vec<&dyn Array> = columns.map(AsRef::as_ref).collect();
            interleave(&columns, places).map_err(|_| Failed::Internal)
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(places.len()));
        let gathered = RecordBatch::try_new_with_options(first.schema(), columns, &rows);
        gathered.map_err(|_| Failed::Internal)
    }
}
