//! Generated from `proto/`.

/// `bonded.job.v1`.
pub(crate) mod job {
    #![expect(
        unreachable_pub,
        missing_debug_implementations,
        reason = "generated; what holds keys or statements does not print itself"
    )]
    tonic::include_proto!("bonded.job.v1");
}

/// `bonded.operations.v1`.
pub mod operations {
    #![expect(
        missing_docs,
        unused_qualifications,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::missing_errors_doc,
        clippy::too_many_lines,
        reason = "generated from documented messages"
    )]
    tonic::include_proto!("bonded.operations.v1");
}

/// `bonded.management.v1`.
pub mod management {
    #![expect(
        missing_docs,
        unused_qualifications,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::missing_errors_doc,
        clippy::too_many_lines,
        reason = "generated from documented messages"
    )]
    tonic::include_proto!("bonded.management.v1");
}

/// The services that callers outside speak, as a descriptor set for reflection.
pub const SERVICES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/services.bin"));
