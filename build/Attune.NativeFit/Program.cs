using Attune.NativeFit;

// Called by build/Native.targets: fit <library in the package cache> <library in the output folder>.
if (args is not [var source, var destination])
{
    Console.Error.WriteLine("usage: Attune.NativeFit <source library> <destination library>");
    return 2;
}

try
{
    var original = File.ReadAllBytes(source);
    var fitted = HostLibstdcxx.ProvidesLibraryInit() ? original : OlderLibstdcxx.Fit(original);

    // The destination may be a hard link into the package cache: a new file takes its name, the old bytes stay as they are.
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(destination))!);
    var temporary = destination + ".new";
    File.Delete(temporary);
    File.WriteAllBytes(temporary, fitted);
    File.Move(temporary, destination, overwrite: true);
    return 0;
}
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
{
    // The form that MSBuild shows as an error of the build.
    Console.Error.WriteLine($"{source} : error ATT5001: {fault.Message}");
    return 1;
}
