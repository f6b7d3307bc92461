@echo off
rem attune VERB ...   builds what is out of date, then runs the attune command.
setlocal
set "ATTUNE_ROOT=%~dp0"
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
where dotnet >nul 2>nul || (echo attune: the .NET 10 SDK is needed: https://dotnet.microsoft.com/download 1>&2 & exit /b 1)
set "target=src\Attune.App\Attune.App.csproj"
if "%~1"=="test" set "target=Attune.slnx"
if "%~1"=="bench" set "target=bench\Attune.Bench\Attune.Bench.csproj"
dotnet build "%ATTUNE_ROOT%%target%" -c Release -v quiet -clp:NoSummary || exit /b 1
if "%~1"=="bench" (
  for /f "tokens=1,* delims= " %%a in ("%*") do dotnet "%ATTUNE_ROOT%artifacts\bin\Attune.Bench\release\Attune.Bench.dll" %%b
) else (
  dotnet "%ATTUNE_ROOT%artifacts\bin\Attune.App\release\attune.dll" %*
)
exit /b %errorlevel%
