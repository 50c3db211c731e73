use crate::check_unique::Subjects;
use crate::intake::Intake;
use crate::sealed_file::SealedFile;
use crate::{Progress, Unreceivable};
use arrow::array::{Array, ArrayRef, Int64Array};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use terms::{Dataset, Digest, ItemName};

/// Batches that may wait to be sealed.
const WAITING_MAX: usize = 4;

/// Columns in the order of the catalogue, and the number of each row's subject.
type Numbered = (Vec<ArrayRef>, Int64Array);

/// Numbers the subjects of a dataset as its rows come.
enum Numbering {
    /// Nobody is its subject.
    Nobody,
    /// Each subject has one row, so that its number is the row's.
    Rows(i64),
    /// Subjects have several rows, or none of their own.
    Known(ItemName, Subjects),
}

/// Reads all of an intake into a sealed file, and gives its rows and digest. One thread reads and
/// checks, another encodes and encrypts.
///
/// # Errors
/// The first thing wrong with the data, or what could not be written.
pub(crate) fn fill(
    mut file: SealedFile,
    intake: &mut Intake,
    dataset: &Dataset,
    progress: &mut dyn FnMut(Progress),
) -> Result<(u64, Digest), Unreceivable> {
    let (given, taken) = sync_channel(WAITING_MAX);
    std::thread::scope(|scope| {
        let sealing = scope.spawn(move || seal(&mut file, &taken).map(|()| file));
        let read = read(intake, Numbering::of(dataset), &given, progress);
        // Its end is what the other thread waits for.
        drop(given);
        let sealed = sealing.join();
        // What could not be sealed is why reading stopped, where both did.
        let file = sealed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        read?;
        file.finish()
    })
}

fn seal(file: &mut SealedFile, taken: &Receiver<Numbered>) -> Result<(), Unreceivable> {
    for (columns, numbers) in taken {
        file.write(columns, numbers)?;
    }
    Ok(())
}

fn read(
    intake: &mut Intake,
    mut numbering: Numbering,
    given: &SyncSender<Numbered>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Unreceivable> {
    let mut rows = 0_u64;
    while let Some(columns) = intake.next()? {
        let added = columns.first().map_or(0, |column| column.len());
        let numbers = numbering.number(intake, &columns, added);
        rows = rows.saturating_add(u64::try_from(added).unwrap_or(u64::MAX));
        if given.send((columns, numbers)).is_err() {
            // The other thread ended, and says why.
            break;
        }
        let (bytes_done, bytes_total) = intake.bytes();
        progress(Progress {
            rows,
            bytes_done,
            bytes_total,
        });
    }
    Ok(())
}

// === impl Numbering ===

impl Numbering {
    fn of(dataset: &Dataset) -> Self {
        let Some(subject) = &dataset.subject else {
            return Self::Nobody;
        };
        let item = dataset.items.iter().find(|item| item.name == *subject);
        if item.is_some_and(|item| item.unique) {
            Self::Rows(0)
        } else {
            Self::Known(subject.clone(), Subjects::default())
        }
    }

    fn number(&mut self, intake: &Intake, columns: &[ArrayRef], rows: usize) -> Int64Array {
        match self {
            Self::Nobody => Int64Array::new_null(rows),
            Self::Rows(next) => {
                let end = next.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
                Int64Array::from_iter_values(std::mem::replace(next, end)..end)
            }
            Self::Known(subject, subjects) => match intake.plain_column(subject, columns) {
                Some((array, plain)) => subjects.number(array, plain),
                None => Int64Array::new_null(rows),
            },
        }
    }
}
