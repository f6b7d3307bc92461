using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Attune.Core.Tests")]
[assembly: InternalsVisibleTo("Attune.Bench")]
