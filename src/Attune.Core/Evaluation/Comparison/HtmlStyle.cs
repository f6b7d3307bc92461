namespace Attune.Core.Evaluation.Comparison;

/// <summary>How the page looks: one colour a version (--s0…), one a kind of data (--k0…), light and dark.</summary>
internal static class HtmlStyle
{
    /// <summary>Colours that kinds of data take in turn.</summary>
    public const int KindColours = 20;

    public const string Css = """
        :root{--paper:#fbfaf7;--card:#fff;--ink:#22262b;--soft:#6b7178;--rule:#e2dfd7;--s0:#a07628;--s1:#2f6f9f;--s2:#2f8f5b;--s3:#8e5ea2;--s4:#b5544a;
        --k0:#4e79a7;--k1:#f0a04b;--k2:#76b7b2;--k3:#e07b7b;--k4:#59a14f;--k5:#e3c04f;--k6:#b07aa1;--k7:#9c755f;--k8:#86bcd6;--k9:#bab0ac;--k10:#d4a6c8;--k11:#8cd17d;
        --k12:#a0cbe8;--k13:#c26a2d;--k14:#499894;--k15:#f1b6b0;--k16:#7a8f3c;--k17:#6b5b95;--k18:#d7b5a6;--k19:#79706e}
        @media(prefers-color-scheme:dark){:root{--paper:#141619;--card:#1b1e22;--ink:#e8e6e1;--soft:#9aa0a6;--rule:#32363b;--s0:#d4a95a;--s1:#6db1e0;--s2:#67c596;--s3:#bd93d1;--s4:#e08a80}}
        *{box-sizing:border-box}
        html{background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
        body{margin:0}html.en .zh,html.zh .en{display:none}
        main{max-width:1040px;margin:2.6rem auto;padding:0 1.4rem}
        h1{font-size:1.9rem;line-height:1.25;margin:0 0 .3rem;letter-spacing:-.01em}
        h2{font-size:1.15rem;margin:2.8rem 0 .7rem;padding-top:1.1rem;border-top:1px solid var(--rule)}
        .lead,.note{color:var(--soft);max-width:46rem}.note{font-size:.88rem}
        button{float:right;border:1px solid var(--rule);background:none;color:var(--soft);border-radius:6px;padding:.25rem .7rem;cursor:pointer;font:inherit;font-size:.85rem}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:1rem;margin:1.6rem 0}
        .card{background:var(--card);border:1px solid var(--rule);border-top:4px solid var(--c);border-radius:8px;padding:1rem 1.1rem}
        .card h3{margin:0;font-size:1.1rem}.card h3 small{font-weight:400}
        dl{margin:.7rem 0 0}dt{color:var(--soft);font-size:.76rem;margin-top:.65rem}html.en dt{text-transform:uppercase;letter-spacing:.05em}dd{margin:0}
        .card ul{list-style:none;margin:.1rem 0 0;padding:0;font-size:.92rem}.card li{display:flex;justify-content:space-between;gap:.8rem}.card li b{font-weight:600;white-space:nowrap}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:620px;table-layout:fixed}
        col.label{width:34%}th,td{text-align:left;vertical-align:top;padding:.5rem .8rem .55rem 0;border-bottom:1px solid var(--rule);font-weight:400}
        tr:first-child th{font-weight:600;border-bottom-width:2px}td b{font-weight:600;font-variant-numeric:tabular-nums}
        small{color:var(--soft);font-size:.78rem;font-variant-numeric:tabular-nums}td small{display:block}i{color:var(--soft);font-style:normal}
        .bar{display:block;margin-top:.25rem;width:100%;max-width:190px}.plot{width:100%;height:auto;margin:.6rem 0;display:block}.plot text{fill:var(--ink);font-size:12.5px}.plot .tick{fill:var(--soft);font-size:11px}
        .legend>span,.kinds>span{margin-right:1.3rem;white-space:nowrap;display:inline-block}.kinds{font-size:.85rem;color:var(--soft);margin:.1rem 0 1.1rem}
        .legend>span:before,.kinds>span:before{content:"";display:inline-block;width:.72em;height:.72em;border-radius:50%;background:var(--c);margin-right:.45em}.kinds>span:before{border-radius:2px}
        .stage{margin:1rem 0 .1rem;font-weight:600}
        footer{margin-top:3rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--rule);overflow-wrap:anywhere}code{font-size:.85rem}
        """;
}
