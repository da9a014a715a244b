//! Who asks, and what is answered where something is not known or not done.

/// Why nothing was done, or not all of it, as a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind of refusal it is.
    pub kind: RefusalKind,
    /// One sentence; quotes no value of an event.
    pub sentence: String,
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was asked for is not understood.
    Bad,
    /// It is not there (any more).
    NotFound,
    /// It is understood and cannot be done.
    Impossible,
    /// A part is away.
    Unavailable,
    /// It is being read, which takes some seconds: whoever asks again is answered.
    Reading,
}

/// Who asks: the name of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub String);

/// Something, or a sentence that says why it is not known.
pub type Known<T> = Result<T, String>;
