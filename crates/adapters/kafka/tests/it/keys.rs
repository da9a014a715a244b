//! Keys go where Java's producers put them.

use crate::lab::Lab;

/// The vectors of Kafka's own test of `Utils.murmur2` (`UtilsTest.testMurmur2`).
const JAVA: [(&str, i32); 6] = [
    ("21", -973_932_308),
    ("foobar", -790_332_482),
    ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ("abc", 479_470_107),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_the_partition_that_java_would_choose() {
    for partitions in [4_u16, 7, 16] {
        let lab = Lab::embedded(partitions);
        for (key, hash) in JAVA {
            // As Java's `Utils.toPositive(murmur2(key)) % partitions`.
            let expected = (hash & 0x7fff_ffff) % i32::from(partitions);
            assert_eq!(lab.publish(key, "").await.partition, expected, "{key} of {partitions}");
        }
    }
}
