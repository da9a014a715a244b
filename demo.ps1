# Shows what the pipeline promises, in six steps with checks. Ends with 0 only if every check holds.
#
#   .\demo.ps1           on the stack of docker-compose.yml where it is running, and otherwise in one process with embedded parts
#   .\demo.ps1 -Compose  starts the stack first
param([switch] $Compose)
Set-Location $PSScriptRoot

function Fail([string] $Message) {
    [Console]::Error.WriteLine("demo: $Message")
    exit 2
}

function Has([string] $Tool) {
    return [bool] (Get-Command $Tool -ErrorAction SilentlyContinue)
}

function Stack-Runs {
    return (Has docker) -and ((docker compose ps --services --status running 2>$null) -contains 'api')
}

function Start-Stack {
    if (-not (Has docker)) { Fail '-Compose needs Docker with Compose: https://docs.docker.com/get-docker/' }
    docker info *>$null
    if ($LASTEXITCODE -ne 0) { Fail '-Compose needs a running Docker engine that your user may use.' }
    docker compose config --quiet
    if ($LASTEXITCODE -ne 0) { Fail '-Compose needs passwords: see "Containers" in README.md.' }
    Write-Host 'Starting the stack. The first time, images are fetched and built for some minutes.'
    docker compose up --detach --wait --build
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

if ($Compose) { Start-Stack }
if ($Compose -or (Stack-Runs)) {
    Write-Host 'The demo runs on the stack of docker-compose.yml.'
    docker compose run --rm --build demo
    exit $LASTEXITCODE
}
# The build of librdkafka is a shell script.
if ($env:OS -eq 'Windows_NT') { Fail 'The stack does not run (.\demo.ps1 -Compose starts it). Without containers the demo is built in WSL: ./demo.sh' }
if (-not (Has cargo)) { Fail 'Neither does the stack run (.\demo.ps1 -Compose starts it), nor is Rust installed: https://rustup.rs' }
Write-Host 'The demo runs in one process. The first build takes some minutes.'
cargo run --release --package standalone -- demo
exit $LASTEXITCODE
