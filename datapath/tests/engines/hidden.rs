//! Lesser processors: each feature hidden in turn. What is left is what a table says, and what is chosen works.

use datapath::cipher::dispatch::{Engine, EngineName, choose_from};
use datapath::cipher::features::{Feature, Features};

use super::runs;

/// What each engine needs, said once more and independently of the code.
const NEEDS: [(EngineName, &[Feature]); 5] = {
    use Feature::{Aes, Avx2, Avx512bw, Avx512f, Avx512vbmi2, Pclmulqdq, Vaes, Vpclmulqdq};
    [
        (EngineName::Vaes512, &[Aes, Pclmulqdq, Avx2, Vaes, Vpclmulqdq, Avx512f, Avx512bw, Avx512vbmi2]),
        (EngineName::Vaes256, &[Aes, Pclmulqdq, Avx2, Vaes, Vpclmulqdq]),
        (EngineName::AesNi, &[Aes, Pclmulqdq, Avx2]),
        (EngineName::Portable, &[]),
        (EngineName::XtsMode, &[]),
    ]
};

/// The engines that remain when one feature of a processor with all of them is hidden.
const REMAIN: [(Feature, &[EngineName]); 8] = {
    use EngineName::{AesNi, Portable, Vaes256, XtsMode};
    [
        (Feature::Aes, &[Portable, XtsMode]),
        (Feature::Pclmulqdq, &[Portable, XtsMode]),
        (Feature::Avx2, &[Portable, XtsMode]),
        (Feature::Vaes, &[AesNi, Portable, XtsMode]),
        (Feature::Vpclmulqdq, &[AesNi, Portable, XtsMode]),
        (Feature::Avx512f, &[Vaes256, AesNi, Portable, XtsMode]),
        (Feature::Avx512bw, &[Vaes256, AesNi, Portable, XtsMode]),
        (Feature::Avx512vbmi2, &[Vaes256, AesNi, Portable, XtsMode]),
    ]
};

fn names(features: Features) -> Vec<EngineName> {
    Engine::among(features).map(Engine::name).collect()
}

#[test]
fn with_one_feature_hidden_the_expected_engines_remain_and_the_chosen_one_works() {
    assert_eq!(REMAIN.map(|(feature, _)| feature), Feature::ALL);
    for (feature, remain) in REMAIN {
        let lesser = Features::detect().without(feature);
        // A processor that lacks more than the hidden feature runs fewer.
        let expected = remain.iter().filter(|&&name| Engine::new(name, Features::detect()).is_some());
        assert_eq!(names(lesser), expected.copied().collect::<Vec<_>>(), "without {feature}");
        let choice = choose_from(lesser, None, None).unwrap();
        assert_eq!(Some(choice.engine.name()), names(lesser).first().copied(), "without {feature}");
        println!("without {feature}: {}", choice.engine);
        runs::telling(choice.engine);
    }
}

#[test]
fn with_any_features_hidden_an_engine_exists_exactly_when_all_it_needs_is_left() {
    let all = Features::detect();
    for hidden in 0..1_u32 << Feature::ALL.len() {
        let hidden = |n: usize| hidden & (1 << n) != 0;
        let left = (0..Feature::ALL.len()).filter(|&n| hidden(n)).fold(all, |f, n| f.without(Feature::ALL[n]));
        for (name, needs) in NEEDS {
            let all_left = needs.iter().all(|need| {
                let at = Feature::ALL.iter().position(|feature| feature == need).unwrap();
                all.have(&[*need]) && !hidden(at)
            });
            assert_eq!(Engine::new(name, left).is_some(), all_left, "{name} among {left:?}");
            assert_eq!(choose_from(left, Some(name.as_str()), None).is_ok(), all_left, "{name} among {left:?}");
        }
    }
}
