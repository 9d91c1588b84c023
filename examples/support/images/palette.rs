//! The colours of the charts.
#![allow(clippy::cast_precision_loss, reason = "numbers of one byte")]

pub type Rgb = [f32; 3];

const fn rgb(hex: u32) -> Rgb {
    [((hex >> 16) & 0xff) as f32, ((hex >> 8) & 0xff) as f32, (hex & 0xff) as f32]
}

#[inline]
pub fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

#[derive(Debug, Clone, Copy)]
pub struct Palette {
    pub paper: Rgb,
    pub ink: Rgb,
    pub shallow: Rgb,
    pub deep: Rgb,
    pub lowland: Rgb,
    pub upland: Rgb,
    pub peak: Rgb,
    /// The colour washed along the coast by hand.
    pub wash: Rgb,
    pub accent: Rgb,
}

impl Palette {
    /// The darker of ink and paper: some charts are light on dark.
    pub fn shadow(&self) -> Rgb {
        if self.ink[1] < self.paper[1] { self.ink } else { self.paper }
    }
}

pub const PALETTES: [Palette; 6] = [
    Palette {
        paper: rgb(0xf0_e4c8),
        ink: rgb(0x2a_211c),
        shallow: rgb(0xc3_d9d2),
        deep: rgb(0x7f_abb2),
        lowland: rgb(0xe3_dcae),
        upland: rgb(0xd5_b684),
        peak: rgb(0xf3_e8d3),
        wash: rgb(0x8f_a967),
        accent: rgb(0xa8_3a26),
    },
    Palette {
        paper: rgb(0xec_dfc4),
        ink: rgb(0x33_2218),
        shallow: rgb(0xe6_d3a8),
        deep: rgb(0xcb_a873),
        lowland: rgb(0xf2_e2bd),
        upland: rgb(0xd9_a56b),
        peak: rgb(0xb5_6d3f),
        wash: rgb(0xc4_6a3c),
        accent: rgb(0x1f_5b66),
    },
    Palette {
        paper: rgb(0xe9_e7dc),
        ink: rgb(0x1c_2433),
        shallow: rgb(0xb5_cbe0),
        deep: rgb(0x5b_82b0),
        lowland: rgb(0xee_e6cb),
        upland: rgb(0xc8_b99a),
        peak: rgb(0xfb_fbf6),
        wash: rgb(0xd6_8f7c),
        accent: rgb(0xb8_4a3d),
    },
    Palette {
        paper: rgb(0xf1_ead6),
        ink: rgb(0x23_2a22),
        shallow: rgb(0xd3_e0c9),
        deep: rgb(0x8d_b39b),
        lowland: rgb(0xf3_e5b9),
        upland: rgb(0xe3_b86e),
        peak: rgb(0xc9_8853),
        wash: rgb(0xe0_a03c),
        accent: rgb(0x7d_2f4f),
    },
    Palette {
        paper: rgb(0xf2_e6dc),
        ink: rgb(0x2b_1f2c),
        shallow: rgb(0xd9_cbd8),
        deep: rgb(0xa3_8db0),
        lowland: rgb(0xf1_e3cd),
        upland: rgb(0xd8_b29c),
        peak: rgb(0xf8_f0ea),
        wash: rgb(0xc7_6d83),
        accent: rgb(0x33_5f83),
    },
    Palette {
        paper: rgb(0x1b_2a3d),
        ink: rgb(0xef_e3c2),
        shallow: rgb(0x2a_4a63),
        deep: rgb(0x16_2a42),
        lowland: rgb(0x5e_6650),
        upland: rgb(0x8a_7750),
        peak: rgb(0xcf_bb8a),
        wash: rgb(0xb8_9a52),
        accent: rgb(0xe0_b04c),
    },
];
