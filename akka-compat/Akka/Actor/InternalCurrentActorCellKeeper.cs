namespace Akka.Actor.Internal;

/// <summary>The cell whose actor runs on this thread. For test kits.</summary>
public static class InternalCurrentActorCellKeeper
{
    /// <summary>
    /// Null on threads that run no actor. Setting it makes this thread count as that actor's until it is set back.
    /// </summary>
    public static ActorCell Current
    {
        get => ActorCell.Current;
        set => ActorCell.Leave(value);
    }
}
