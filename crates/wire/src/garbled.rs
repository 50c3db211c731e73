/// Bytes on a pipe that are no message.
#[derive(Debug, thiserror::Error)]
pub enum Garbled {
    /// The pipe itself failed.
    #[error("broken pipe to the other process")]
    Pipe(#[from] std::io::Error),
    /// The length says more than is ever looked at.
    #[error("message of {0} bytes")]
    TooLong(u64),
    /// The other side stopped within a message.
    #[error("message cut short")]
    Cut,
    /// The other side stopped before a message that was owed.
    #[error("no message")]
    Absent,
    /// The bytes are not of the message's shape.
    #[error("undecodable message")]
    Undecodable(#[from] prost::DecodeError),
    /// A part that must be there is not, or has the wrong size.
    #[error("message without a proper `{0}`")]
    Missing(&'static str),
    /// A word in it names nothing.
    #[error("message with an unreadable word")]
    Unreadable(#[from] terms::Unreadable),
}
