#!/usr/bin/env escript
%% The time from the kill of a child to the moment its replacement is initialised, under a one_for_one supervisor.
%% Prints microseconds, one restart a line.  Reports are off, as they are where we measure ourselves.
-mode(compile).
-export([start_child/1, child_init/1, init/1]).

main([Count]) ->
    logger:set_primary_config(level, none),
    {ok, _} = supervisor:start_link(?MODULE, self()),
    warm_up(200),
    [io:format("~.3f~n", [Microseconds]) || Microseconds <- falls(list_to_integer(Count))],
    halt(0).

init(Parent) ->
    Child = #{id => child, start => {?MODULE, start_child, [Parent]}},
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1}, [Child]}}.

start_child(Parent) ->
    proc_lib:start_link(?MODULE, child_init, [Parent]).

child_init(Parent) ->
    Parent ! {ready, self(), erlang:monotonic_time(nanosecond)},
    proc_lib:init_ack({ok, self()}),
    receive never -> ok end.

warm_up(Count) ->
    falls(Count).

falls(Count) ->
    Pid = case get(child) of undefined -> element(1, ready()); Known -> Known end,
    falls(Count, Pid, []).

falls(0, Pid, Found) ->
    put(child, Pid),
    lists:reverse(Found);
falls(Count, Pid, Found) ->
    Began = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    {Next, Ready} = ready(),
    falls(Count - 1, Next, [(Ready - Began) / 1000 | Found]).

ready() ->
    receive {ready, Pid, Time} -> {Pid, Time} end.
