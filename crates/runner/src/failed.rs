use datafusion::error::DataFusionError;

/// Why a job ended without a result. Only the code crosses to the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The job cannot be read.
    #[error("unreadable job")]
    Job,
    /// The engine's types are not the plan's.
    #[error("schema mismatch")]
    Schema,
    /// A file or column cannot be read: no key, no file, or damaged.
    #[error("unreadable data")]
    Data,
    /// A division by zero or an overflow.
    #[error("arithmetic")]
    Arithmetic,
    /// A value that does not fit the type it is cast to.
    #[error("cast")]
    Cast,
    /// A scalar subquery with more than one row.
    #[error("scalar subquery with several rows")]
    Scalar,
    /// More memory than the job may use.
    #[error("out of memory")]
    Memory,
    /// Anything else.
    #[error("internal")]
    Internal,
}

impl Failed {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Job => "runner.unreadable-job",
            Self::Schema => "runner.schema-mismatch",
            Self::Data => "runner.unreadable-data",
            Self::Arithmetic => "runner.arithmetic",
            Self::Cast => "runner.cast",
            Self::Scalar => "runner.scalar-rows",
            Self::Memory => "runner.out-of-memory",
            Self::Internal => "runner.internal",
        }
    }
}

impl From<DataFusionError> for Failed {
    fn from(error: DataFusionError) -> Self {
        use datafusion::arrow::error::ArrowError;
        match error.find_root() {
            DataFusionError::External(inner) => {
                inner.downcast_ref::<Self>().copied().unwrap_or(Self::Internal)
            }
            DataFusionError::ResourcesExhausted(_) => Self::Memory,
            DataFusionError::ArrowError(arrow, _) => match &**arrow {
                ArrowError::DivideByZero | ArrowError::ArithmeticOverflow(_) => Self::Arithmetic,
                ArrowError::CastError(_) | ArrowError::ParseError(_) => Self::Cast,
                _ => Self::Internal,
            },
            DataFusionError::ParquetError(_) | DataFusionError::IoError(_) => Self::Data,
            _ => Self::Internal,
        }
    }
}
