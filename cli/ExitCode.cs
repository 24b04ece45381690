namespace Iommufd.Cli;

/// <summary>What the exit codes mean; part of the program's contract.</summary>
public static class ExitCode
{
    /// <summary>Everything asked for was done and every check held.</summary>
    public const int Success = 0;

    /// <summary>A check failed: an invariant, an expectation, a digest, conformance.</summary>
    public const int CheckFailed = 1;

    /// <summary>Bad input.</summary>
    public const int BadInput = 2;

    /// <summary>The run was cut short, its journal closed properly.</summary>
    public const int CutShort = 3;

    /// <summary>A bug of ours.</summary>
    public const int InternalError = 4;
}
