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
    /// A division by zero.
    #[error("division by zero")]
    Division,
    /// A number beyond its type.
    #[error("overflow")]
    Overflow,
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
            Self::Job => "runner.unsupported",
            Self::Schema => "runner.schema-differs",
            Self::Data => "runner.data-unreadable",
            Self::Division => "runner.division-by-zero",
            Self::Overflow => "runner.overflow",
            Self::Cast => "runner.cast",
            Self::Scalar => "runner.many-rows",
            Self::Memory => "runner.out-of-memory",
            Self::Internal => "runner.failed",
        }
    }
}

impl From<DataFusionError> for Failed {
    fn from(error: DataFusionError) -> Self {
        use datafusion::arrow::error::ArrowError;
        match error.find_root() {
            DataFusionError::External(inner) => inner
                .downcast_ref::<Self>()
                .copied()
                .unwrap_or(Self::Internal),
            DataFusionError::ResourcesExhausted(_) => Self::Memory,
            DataFusionError::ArrowError(arrow, _) => match &**arrow {
                ArrowError::DivideByZero => Self::Division,
                ArrowError::ArithmeticOverflow(_) => Self::Overflow,
                ArrowError::CastError(_) | ArrowError::ParseError(_) => Self::Cast,
                _ => Self::Internal,
            },
            DataFusionError::ParquetError(_) | DataFusionError::IoError(_) => Self::Data,
            _ => Self::Internal,
        }
    }
}
