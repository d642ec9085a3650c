"""Papers whose loops are presets, as the presets cite them."""

__all__ = [
    "ALEMOHAMMAD",
    "AMIN",
    "BAKSHI_CHAKRABORTY",
    "BARZILAI_SHAMIR",
    "BERTRAND",
    "BORKAR",
    "DEY_DONOHO",
    "DOHMATOB_FENG_KEMPE",
    "DOHMATOB_STRONG",
    "FENG",
    "FERBACH",
    "FONG_HOLMES_WALKER",
    "FORTIFAI",
    "FU",
    "GARG",
    "GERSTGRASSER",
    "GRIFFITHS_KALISH",
    "HE_XU_CHENG",
    "JAIN",
    "JANGJOO",
    "KANABAR_GASTPAR",
    "KAZDAN",
    "KHELIFA",
    "KIRBY",
    "MARCHI",
    "QIN",
    "REALI_GRIFFITHS",
    "REN",
    "SEDDIK",
    "SHUMAILOV",
    "SONG",
    "SURESH",
    "TOEDIT",
    "VAN_BREUGEL",
    "WANG_NIU_LI",
    "XU_HE_CHENG",
    "YI_LIU_CHENG_XU",
    "ZHANG",
]

ALEMOHAMMAD = "Alemohammad et al. (2024), arXiv:2307.01850"
AMIN = "Amin et al. (2026), arXiv:2601.15468"
BAKSHI_CHAKRABORTY = "Bakshi and Chakraborty (2026), arXiv:2602.10531"
BARZILAI_SHAMIR = "Barzilai and Shamir (2025), arXiv:2505.19046"
BERTRAND = "Bertrand et al. (2024), arXiv:2310.00429"
BORKAR = "Borkar (2025), arXiv:2506.09401"
DEY_DONOHO = "Dey and Donoho (2024), arXiv:2410.22812"
DOHMATOB_FENG_KEMPE = "Dohmatob, Feng and Kempe (2024), arXiv:2402.07712"
DOHMATOB_STRONG = "Dohmatob et al. (2025), arXiv:2410.04840"
FENG = "Feng et al. (2025), arXiv:2406.07515"
FERBACH = "Ferbach et al. (2024), arXiv:2407.09499"
FONG_HOLMES_WALKER = "Fong, Holmes and Walker (2021), arXiv:2103.15671"
FORTIFAI = "ForTIFAI (2025), arXiv:2509.08972"
FU = "Fu et al. (2024), arXiv:2402.11778; Fu et al. (2025), arXiv:2502.18865"
GARG = "Garg, Bhattacharya and Sur (2025), arXiv:2509.22341"
GERSTGRASSER = "Gerstgrasser et al. (2024), arXiv:2404.01413"
GRIFFITHS_KALISH = "Griffiths and Kalish (2007), doi:10.1080/15326900701326576"
HE_XU_CHENG = "He, Xu and Cheng (2025), arXiv:2502.18049"
JAIN = "Jain, Montanari and Sasoglu (2024), arXiv:2402.04376"
JANGJOO = "Jangjoo, Marsili and Roudi (2025), arXiv:2506.20623"
KANABAR_GASTPAR = (
    "Kanabar and Gastpar, minimax discrete distribution estimation with self-consumption"
)
KAZDAN = "Kazdan et al. (2024), arXiv:2410.16713"
KHELIFA = "Khelifa, Turner and Venkataramanan (2026), arXiv:2602.16601"
KIRBY = "Kirby, Dowman and Griffiths (2007), Innateness and culture in the evolution of language"
MARCHI = "Marchi et al. (2024), arXiv:2404.02325"
QIN = "Qin et al. (2023), Class-Balancing Diffusion Models, arXiv:2305.00562"
REALI_GRIFFITHS = "Reali and Griffiths (2010), Words as alleles"
REN = "Ren et al. (2024), arXiv:2404.04286"
SEDDIK = "Seddik et al. (2024), arXiv:2404.05090"
SHUMAILOV = "Shumailov et al. (2024), arXiv:2305.17493"
SONG = (
    "Song et al. (2020), Improving Maximum Likelihood Training for Text Generation with Density "
    "Ratio Estimation, arXiv:2007.06018"
)
SURESH = "Suresh et al. (2025), arXiv:2412.17646"
TOEDIT = "ToEdit (2024), arXiv:2412.14689"
VAN_BREUGEL = "van Breugel et al. (2023), arXiv:2305.09235"
WANG_NIU_LI = "Wang, Niu and Li (2026), arXiv:2602.16065"
XU_HE_CHENG = "Xu, He and Cheng (2025), arXiv:2505.13947"
YI_LIU_CHENG_XU = "Yi, Liu, Cheng and Xu (2025), arXiv:2510.16657"
ZHANG = (
    "Zhang et al. (2020), One for More: Selecting Generalizable Samples for Generalizable ReID "
    "Model, arXiv:2012.05475"
)
