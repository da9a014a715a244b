//! Defects that are planted in the simulated adapters, to see whether the simulation finds them. Those of the consumer and of the pipeline are
//! patches, in `defects/`.

macro_rules! defects {
    ($($defect:ident $name:literal $about:literal,)+) => {
        /// A planted defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect {
            $(#[doc = $about] $defect,)+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$defect),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$defect => $name),+ }
            }

            /// What is wrong.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$defect => $about),+ }
            }
        }
    };
}

defects! {
    OwnershipFilterGone "ownership-filter-gone" "Offsets are committed for partitions that went to others.",
    AssignmentIgnored "assignment-ignored" "A partition that went away and came back is committed for its former assignment.",
    ParkedByPosition "parked-by-position" "A parked event is known by its position alone.",
    ParkedLongAgo "parked-long-ago" "Events are parked since 1970.",
    ParkDoesNotLook "park-does-not-look" "Parking does not look whether the parent has landed meanwhile.",
    ChildrenNotAnnounced "children-not-announced" "A batch does not say that children wait.",
    ReleaseIgnoresTaken "release-ignores-taken" "A release goes on although somebody else has taken the row.",
    GivenUpIsReleased "given-up-is-released" "A release takes events that were given up.",
    ClaimIgnoresParent "claim-ignores-parent" "Events are given up although their parent is there.",
    MissingParentIsStale "missing-parent-is-stale" "A child without its parent counts as stale.",
    GuardTurned "guard-turned" "The older event wins.",
    TieBroken "tie-broken" "Of equal times, the row that is there wins.",
    LedgerIgnored "ledger-ignored" "An adjustment counts each time that it comes.",
    EmailFirstComeIgnored "email-claims-ignored" "Nobody decides who of a batch gets an address.",
    PositionGoesBack "position-goes-back" "A position of the tables is set, also backwards.",
    PositionMovesAlways "position-moves-always" "A batch moves its positions although something of it waits.",
    LetterPushedTwice "letter-pushed-twice" "A dead letter is pushed again although it was pushed before.",
    SeenBeforePushed "seen-before-pushed" "A push that breaks off has noted letters that are not in the list.",
    ClaimWithoutLease "claim-without-lease" "A claimed letter never comes back by itself.",
}
