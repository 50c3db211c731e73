//! The front, as a job talks to it.

use crate::Failed;
use wire::job::{RunFrame, Verdict};

/// Where frames go, and whence the answers to questions come.
pub trait Front: Send + Sync {
    /// Says something.
    ///
    /// # Errors
    /// [`Failed`] if nobody hears it.
    fn tell(&mut self, frame: RunFrame) -> Result<(), Failed>;

    /// Waits for the answer to the question that was just told.
    ///
    /// # Errors
    /// [`Failed`] if there is none.
    fn verdict(&mut self) -> Result<Verdict, Failed>;
}
